public import Choir
public import ChoirImage
import ChoirSampling
public import ChoirTensor
import Foundation

/// A set of pictures whose sides match, as files: the pictures, what their sides are, and a mosaic of them.
public struct TileSetWriter {
    /// What `sides.json` says.
    public struct Record: Hashable, Sendable, Codable {
        /// One picture.
        public struct Picture: Hashable, Sendable, Codable {
            /// Its file, beside this one.
            public var file: String
            /// What was asked for, with the labels of its sides.
            public var image: TileImage
            /// SHA-256 of its pixels.
            public var pixelsSHA256: String
        }

        /// Two sides that fit.
        public struct Join: Hashable, Sendable, Codable {
            /// The name of the picture whose side runs clockwise.
            public var first: String
            /// Its side.
            public var firstSide: String
            /// The name of the other picture, which may be the same.
            public var second: String
            /// Its side.
            public var secondSide: String
            /// How well they fit.
            public var tiling: TilingScore
        }

        /// The version of Choir that painted it.
        public var version: String
        /// The name of the model.
        public var model: String
        /// The size of each picture in pixels.
        public var size: PixelSize
        /// Pixels that pictures saw beyond their sides.
        public var padding: Int
        /// Pixels inside of sides that are alike.
        public var strip: Int
        /// The pictures.
        public var pictures: [Picture]
        /// All pairs of sides that may be joined, clockwise side first.
        public var joins: [Join]
        /// The mean tiling score of pairs of constrained sides that may not be joined, to compare with; null if there
        /// is none.
        public var unrelatedScore: Double?
        /// Which picture lies where in `mosaic.png`, rows from the top: a name, and `@` with degrees clockwise if it is
        /// turned. Null if the sides allow no mosaic.
        public var mosaic: [[String]]?
    }

    /// What was painted.
    public let plan: TileSetPlan

    /// For each picture, `[3, height, width]`, in -1 ... 1.
    public let pictures: [Tensor]

    /// The name of the model.
    public let model: String

    /// What a plan's painting gave.
    public init(plan: TileSetPlan, pictures: [Tensor], model: String) {
        self.plan = plan
        self.pictures = pictures
        self.model = model
    }

    /// Writes everything into a directory, which is made if it is not there; files of the same names are replaced.
    ///
    /// - Parameters:
    ///   - directory: Where it goes.
    ///   - mosaic: An arrangement; nil for none.
    /// - Returns: What `sides.json` says.
    /// - Throws: `ImageError` or `FileError` that names the file and what is wrong.
    public func write(to directory: String, mosaic: TileMosaic?) throws -> Record {
        let request = plan.request
        try Self.makeDirectory(directory)
        let written = try zip(request.images, pictures).map { image, picture in
            let file = image.name + ".png"
            let metadata = ImageMetadata(parameters: parameters(of: image))
            let digest = try Self.write([picture], to: directory + "/" + file, metadata: metadata)
            return Record.Picture(file: file, image: image, pixelsSHA256: digest)
        }
        if let mosaic {
            let rows = mosaic.rows.indices.lazy.map { mosaic.picture(of: pictures, row: $0) }
            _ = try Self.write(rows, to: directory + "/mosaic.png", metadata: ImageMetadata())
        }
        let scores = tilingScores()
        let record = Record(
            version: ChoirVersion.current, model: model, size: request.size, padding: request.padding,
            strip: request.strip, pictures: written, joins: scores.joins, unrelatedScore: scores.unrelated,
            mosaic: mosaic?.rows.map { row in
                row.map { place in
                    request.images[place.image].name + (place.quarterTurns > 0 ? "@\(90 * place.quarterTurns)" : "")
                }
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(encoder.encode(record), to: directory + "/sides.json")
        return record
    }

    private static func makeDirectory(_ path: String) throws(FileError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("make the directory", path, reason: error.localizedDescription)
        }
    }

    /// Writes pictures of one width below each other.
    private static func write(
        _ strips: some Collection<Tensor>, to path: String, metadata: ImageMetadata
    ) throws -> String {
        guard let first = strips.first else { preconditionFailure("a picture without rows") }
        let writer = try ImageWriter(
            path: path, width: first.width, height: strips.count * first.height, metadata: metadata)
        for strip in strips {
            for top in stride(from: 0, to: strip.height, by: 64) {
                let rows = top..<min(top + 64, strip.height)
                try writer.write(strip: strip.interleavedBytes(rows: rows, width: strip.width))
            }
        }
        return try writer.finish()
    }

    private func parameters(of image: TileImage) -> String {
        let request = plan.request
        return GenerationParameters(
            prompt: image.prompt, negativePrompt: image.negativePrompt, steps: plan.steps.count,
            sampler: plan.steps.sampler.displayName, guidanceScale: plan.guidanceScale, seed: image.seed,
            width: request.size.width, height: request.size.height, model: model,
            tileSize: max(plan.tile.width, plan.tile.height), overlap: request.padding, bridges: ["sides"],
            version: "Choir \(ChoirVersion.current)"
        ).text
    }

    /// Scores all pairs of constrained sides of equal length.
    private func tilingScores() -> (joins: [Record.Join], unrelated: Double?) {
        let images = plan.request.images
        let sides = images.indices.flatMap { index in
            TileSide.allCases.compactMap { side in images[index].sides[side].map { (index, side, $0) } }
        }
        let bytes = pictures.map { $0.interleavedBytes(rows: 0..<$0.height, width: $0.width) }
        let lines = sides.map { index, side, _ in edgeLines(bytes[index], side) }
        var joins: [Record.Join] = []
        var unrelated: [Double] = []
        for (first, (image, side, label)) in sides.enumerated() where label.direction == .clockwise {
            for (second, (other, otherSide, otherLabel)) in sides.enumerated()
            where lines[first][0].count == lines[second][0].count {
                // Walked clockwise around both, they run against each other.
                let reversed = lines[second].map { line in
                    stride(from: line.count - 3, through: 0, by: -3).flatMap { line[$0..<$0 + 3] }
                }
                let score = TilingScore(first: lines[first], second: reversed)
                if label.joins(otherLabel) {
                    joins.append(
                        Record.Join(
                            first: images[image].name, firstSide: side.name, second: images[other].name,
                            secondSide: otherSide.name, tiling: score))
                } else if first != second {
                    unrelated.append(score.score)
                }
            }
        }
        return (joins, unrelated.isEmpty ? nil : unrelated.reduce(0, +) / Double(unrelated.count))
    }

    /// Lines of pixels along a side, clockwise, from the edge inwards.
    private func edgeLines(_ bytes: [UInt8], _ side: TileSide) -> [[UInt8]] {
        let (width, height) = (plan.request.size.width, plan.request.size.height)
        return (0...TilingScore.neighbours).map { distance in
            (0..<(side == .right || side == .left ? height : width)).flatMap { step in
                let (x, y) =
                    switch side {
                    case .right: (width - 1 - distance, step)
                    case .bottom: (width - 1 - step, height - 1 - distance)
                    case .left: (distance, height - 1 - step)
                    case .top: (step, distance)
                    }
                return bytes[3 * (y * width + x)..<3 * (y * width + x) + 3]
            }
        }
    }
}
