public import Choir
public import ChoirImage
import ChoirSampling
import ChoirTensor
import Foundation

/// A picture that was written to a file.
public struct WrittenPicture: Hashable, Sendable {
    /// SHA-256 of the pixels, row by row as interleaved 8-bit RGB, in hexadecimal; of a grey picture, of its 16-bit
    /// numbers, the more significant byte first.
    public let pixelsSHA256: String

    /// How visible the tile borders are; nil for a picture of one tile.
    public let seams: SeamReport?

    /// Seconds that it took.
    public let seconds: Double
}

extension Painting {
    /// Writes the picture strip by strip, in the format of the file name's ending, with the metadata that the Stable
    /// Diffusion ecosystem reads (`parameters`) and a JSON block that reproduces the request (`choir`).
    ///
    /// A good file of this name is replaced only by a complete new one. A canvas of latents is decoded on the way, and
    /// the picture is never whole in memory. A grey picture is written in 16 bits.
    ///
    /// - Parameter path: Where the picture goes.
    /// - Throws: `ImageError` that names the file and what is wrong, or what decoding throws; there is no partial file
    ///   then.
    public func write(to path: String) async throws -> WrittenPicture {
        let clock = ContinuousClock()
        let start = clock.now
        let (width, height) = (request.size.width, request.size.height)
        let form = plan.form
        let writer = try ImageWriter(
            path: path, width: width, height: height, channels: form.channels, bitDepth: form.bitDepth,
            metadata: plan.metadata(model: model))
        var meter = try seamMeter()
        try await strips { strip in
            try Task.checkCancellation()
            let bytes = strip.interleavedBytes(rows: 0..<strip.height, width: width)
            try meter?.add(rows: bytes.span)
            if form.channels == 1 {
                try writer.write(strip: strip.greyLevels())
            } else {
                try writer.write(strip: bytes)
            }
        }
        let digest = try writer.finish()
        let duration = (clock.now - start).components
        return WrittenPicture(
            pixelsSHA256: digest, seams: try meter?.finish(),
            seconds: Double(duration.seconds) + Double(duration.attoseconds) * 1e-18)
    }

    private func seamMeter() throws -> SeamMeter? {
        let (width, height) = (request.size.width, request.size.height)
        let borders = plan.borders
        guard !(borders.columns.isEmpty && borders.rows.isEmpty) else { return nil }
        return try SeamMeter(
            width: width, height: height, verticalBorders: borders.columns, horizontalBorders: borders.rows)
    }
}

extension PaintPlan {
    /// Refuses, before a long painting, a file that its picture could not be written to.
    ///
    /// - Parameters:
    ///   - path: Where the picture will go.
    ///   - model: The name of the model.
    /// - Throws: `ImageError` for a name, size or metadata that the format does not take, or a place that takes no
    ///   files.
    public func checkOutput(_ path: String, model: String) throws {
        try ImageWriter.check(
            path: path, width: request.size.width, height: request.size.height, channels: form.channels,
            bitDepth: form.bitDepth, metadata: metadata(model: model))
    }

    /// How the picture is written: RGB in 8 bits, or grey in 16, which only some formats hold.
    package var form: (channels: Int, bitDepth: Int) { pictureChannels == 1 ? (1, 16) : (3, 8) }

    /// Where the cores of tiles meet in the picture.
    var borders: Reproduction.Borders {
        let tiles = finest.lastTiles
        let pixels = { (cells: [Int], side: Int) in
            cells.map { $0 * pixelsPerCell }.filter { $0 < side }
        }
        return Reproduction.Borders(
            columns: pixels(tiles.columns.borders, request.size.width),
            rows: pixels(tiles.rows.borders, request.size.height))
    }

    func metadata(model: String) throws -> ImageMetadata {
        let parameters = GenerationParameters(
            prompt: request.prompt, negativePrompt: request.negativePrompt, steps: finest.stepsAtSize,
            sampler: finest.sampler.displayName, guidanceScale: guidanceScale, seed: request.seed,
            width: request.size.width, height: request.size.height, model: model,
            // A side that is shorter than a tile has windows of its own length: the longer ones are the tiles.
            tileSize: max(finest.tiles.columns.window, finest.tiles.rows.window) * pixelsPerCell,
            overlap: finest.overlap * pixelsPerCell,
            bridges: request.bridges.map(\.rawValue), spacing: request.spacing?.displayName, clipSkip: request.clipSkip,
            refiner: handOver.map { ($0.refiner, $0.share) }, autoencoder: autoencoder,
            version: "Choir \(ChoirVersion.current)")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let block = Reproduction(
            version: ChoirVersion.current, model: model, refiner: handOver?.refiner, autoencoder: autoencoder,
            request: request, borders: borders)
        return ImageMetadata(
            parameters: parameters.text, choir: String(decoding: try encoder.encode(block), as: UTF8.self))
    }
}

/// The JSON block in a picture's metadata: all that is needed to paint it again, and to find its tiles.
public struct Reproduction: Hashable, Sendable, Codable {
    /// Where the cores of tiles meet, in pixels.
    public struct Borders: Hashable, Sendable, Codable {
        /// Columns that begin a core where another ends.
        public var columns: [Int]
        /// Rows that begin a core where another ends.
        public var rows: [Int]

        /// Borders at these columns and rows.
        public init(columns: [Int], rows: [Int]) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// The version of Choir that painted it.
    public var version: String
    /// The name of the model.
    public var model: String
    /// The name of its refiner; nil without.
    public var refiner: String?
    /// The name of the autoencoder in the place of the model's own; nil for that.
    public var autoencoder: String?
    /// What was asked for.
    public var request: PaintRequest
    /// Its tile borders; nil in pictures of older versions.
    public var borders: Borders?
}
