import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import ChoirSampling
import ChoirTensor
import Foundation

/// Paints a set of pictures whose sides match.
struct Tiles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Paints a set of pictures whose sides match.",
        discussion: """
            One picture that joins itself (--tileable), a set of which any joins any (--set), or whatever a file says \
            (--sides): a JSON object with a list "images" of objects with "name", and if wanted "prompt", \
            "negativePrompt", "seed" and "sides"; these give "right", "bottom", "left" or "top" an "id" and a \
            "direction", "cw" or "ccw". Sides of one id and different directions join. Writes NAME.png for each \
            picture, sides.json with the labels and how well sides fit, and mosaic.png with the pictures laid at random.
            """)

    @Argument(help: "What the pictures show that say nothing themselves.")
    var prompt = ""

    @Option(help: "Which sides join: x (left and right), y (top and bottom) or xy.", transform: WrappedAxes.init(name:))
    var tileable: WrappedAxes?

    @Option(help: "The number of pictures, of which any joins any.")
    var set: Int?

    @Option(help: "A JSON file that names the pictures and labels their sides.")
    var sides: String?

    @Option(help: "Size of each picture in pixels.", transform: PixelSize.init(argument:))
    var size = PixelSize(width: 512, height: 512)

    @Option(help: "Seed of the first picture; the next ones follow. A file names its own.")
    var seed: UInt64 = 0

    @Option(help: "What guidance leads away from.")
    var negative = ""

    @Option(help: "Pixels that a picture sees of its partners beyond a side; at most half of it. Default: 64.")
    var padding: Int?

    @Option(help: "Pixels over which pictures of which any must join fade into what they share. Default: 48.")
    var strip: Int?

    @Option(help: "Steps at the full size. Default: the model's.")
    var steps: Int?

    @Option(help: "Scale of classifier-free guidance; 1 is off. Default: the model's.")
    var guidance: Double?

    @Option(
        help: "Step rule: \(SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")). Default: the model's.",
        transform: SamplerKind.init(name:))
    var sampler: SamplerKind?

    @Option(help: "Pictures in the mosaic, across and down.", transform: PixelSize.init(argument:))
    var mosaic = PixelSize(width: 4, height: 4)

    @Option(help: "The directory for all files.")
    var output = "tiles"

    @OptionGroup var engine: EngineArguments

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func run() async throws {
        try await exitingOnError {
            let request = try request()
            try request.validate()
            guard (1...64).contains(mosaic.width), (1...64).contains(mosaic.height) else {
                throw RequestError("mosaic", found: "\(mosaic)", expected: "1x1 to 64x64 pictures")
            }
            let pipeline = try await engine.settings.pipeline()
            let plan = try pipeline.plan(request)
            let quiet = quiet
            if !quiet {
                printError("\(request.images.count) pictures in tiles of \(plan.tile), \(plan.evaluations) evaluations")
            }
            let pictures = try await pipeline.paint(request) { done, count in
                if !quiet, done * 10 / count > (done - 1) * 10 / count { printError("\(100 * done / count) %") }
            }
            let writer = TileSetWriter(plan: plan, pictures: pictures, model: pipeline.denoiser.traits.name)
            let record = try writer.write(to: output, mosaic: arrangement(request))
            if !quiet { print(Self.summary(record, output: output)) }
        }
    }

    private func request() throws -> TileSetRequest {
        var images: [TileImage]
        switch (sides, set) {
        case (let file?, nil):
            guard tileable == nil else {
                throw RequestError("tileable", found: "it with --sides", expected: "one of them")
            }
            images = try Self.images(in: file)
            for index in images.indices where images[index].prompt.isEmpty { images[index].prompt = prompt }
            for index in images.indices where images[index].negativePrompt.isEmpty {
                images[index].negativePrompt = negative
            }
        case (nil, let count):
            guard count != nil || tileable != nil else {
                throw RequestError("sides", found: "nothing", expected: "--tileable, --set or --sides")
            }
            let count = count ?? 1
            guard (1...TileSetRequest.maximumCount).contains(count) else {
                throw RequestError("set", found: "\(count)", expected: "1 to \(TileSetRequest.maximumCount)")
            }
            images = (0..<count).map { index in
                TileImage(
                    name: "tile-\(index + 1)", prompt: prompt, negativePrompt: negative,
                    seed: seed &+ UInt64(index), sides: TileImage.sides(joining: tileable ?? .xy))
            }
        case (_?, _?):
            throw RequestError("set", found: "it with --sides", expected: "one of them")
        }
        var request = TileSetRequest(images: images, size: size, padding: padding)
        request.strip = strip ?? request.strip
        request.steps = steps
        request.guidance = guidance
        request.sampler = sampler
        return request
    }

    private struct SidesFile: Decodable {
        var images: [TileImage]
    }

    private static func images(in file: String) throws -> [TileImage] {
        let most = 1 << 20
        guard let handle = FileHandle(forReadingAtPath: file), let data = try? handle.read(upToCount: most + 1) else {
            throw InputError(description: "\(file): this file cannot be read")
        }
        guard data.count <= most else {
            throw InputError(description: "\(file): found more than \(most) bytes, expected a list of pictures")
        }
        do {
            return try JSONDecoder().decode(SidesFile.self, from: data).images
        } catch {
            let reason = (error as? DecodingError)?.sentence ?? error.localizedDescription
            throw InputError(description: "\(file): this is no list of pictures with sides: \(reason)")
        }
    }

    /// A mosaic of the size that was asked for, or where sides join along one axis only, of one row or column.
    private func arrangement(_ request: TileSetRequest) -> TileMosaic? {
        let sides = Set(request.images.flatMap(\.sides.keys))
        let joinsX = !sides.isDisjoint(with: [.left, .right])
        let joinsY = !sides.isDisjoint(with: [.top, .bottom])
        return TileMosaic(
            images: request.images, isSquare: size.width == size.height, columns: joinsX ? mosaic.width : 1,
            rows: joinsY ? mosaic.height : 1, seed: seed)
    }

    private static func summary(_ record: TileSetWriter.Record, output: String) -> String {
        let scores = record.joins.map(\.tiling.score)
        let number = { (value: Double) in String(format: "%.4f", value) }
        var lines = ["\(output): \(record.pictures.count) pictures, \(record.joins.count) pairs of sides that join"]
        if let worst = scores.max() {
            let mean = scores.reduce(0, +) / Double(scores.count)
            lines.append(
                "tiling score: mean \(number(mean)), worst \(number(worst)), of unrelated sides "
                    + (record.unrelatedScore.map(number) ?? "none"))
        }
        if record.mosaic == nil { lines.append("no mosaic: the sides allow none of this size") }
        return lines.joined(separator: "\n")
    }
}
