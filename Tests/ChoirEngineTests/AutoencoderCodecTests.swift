import ChoirEngine
import ChoirGraph
import ChoirImage
import ChoirModels
import ChoirTensor
import Foundation
import Testing

/// Decoding in tiles against decoding whole, with the tiny random networks of `Scripts/fixtures/autoencoder.py`.
@Suite struct AutoencoderCodecTests {
    /// A codec of one of the fixtures.
    private func codec(
        _ name: String, tile: Int?, modules: Int = 1, _ change: (inout AutoencoderLimits) -> Void = { _ in }
    ) throws -> AutoencoderCodec {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("ChoirModelsTests/Fixtures/Autoencoder/\(name)")
        let fields = try ConfigurationFields(path: folder.appendingPathComponent("config.json").path)
        let file = try SafetensorsFile(path: folder.appendingPathComponent("model.safetensors").path)
        var limits = AutoencoderLimits()
        if let tile {
            limits.wholeCells = 0
            limits.tileSide = tile
        }
        change(&limits)
        return try AutoencoderCodec(
            configuration: AutoencoderConfiguration(fields), weights: WeightStore(files: [file]), modules: modules,
            limits: limits)
    }

    /// Latents whose content differs from place to place.
    private func canvas(_ channels: Int, _ height: Int, _ width: Int) -> Tensor {
        var canvas = CounterNoise(seed: 5).normal(
            region: Region(x: 0, y: 0, width: width, height: height), channels: channels, draw: 0)
        for channel in 0..<channels {
            for y in 0..<height {
                for x in 0..<width {
                    let place = sin(0.11 * Float(y) + Float(channel)) + cos(0.07 * Float(x) - 0.05 * Float(y))
                    canvas[channel, y, x] = 0.6 * place + canvas[channel, y, x] * (0.1 + 0.6 * Float(x) / Float(width))
                }
            }
        }
        return canvas
    }

    /// The whole picture of a codec, and the rows of each strip.
    private func picture(_ codec: AutoencoderCodec, _ canvas: Tensor) async throws -> (Tensor, rows: [Int]) {
        let scale = codec.pixelsPerCell
        var picture = Tensor(shape: [3, canvas.height * scale, canvas.width * scale])
        var rows: [Int] = []
        try await codec.decode(canvas) { strip in
            picture.write(strip, x: 0, y: rows.reduce(0, +))
            rows.append(strip.height)
        }
        return (picture, rows)
    }

    /// Peak signal-to-noise ratio in dB of numbers in -1 ... 1.
    private func ratio(_ a: Tensor, _ b: Tensor) -> Double {
        guard a.shape == b.shape else { return 0 }
        let error = zip(a.elements, b.elements).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
        return 10 * log10(4 / max(error / Double(a.elements.count), 1e-30))
    }

    /// How visible the given borders are.
    private func seams(_ picture: Tensor, every side: Int) throws -> SeamReport {
        var meter = try SeamMeter(
            width: picture.width, height: picture.height,
            verticalBorders: Array(stride(from: side, to: picture.width, by: side)),
            horizontalBorders: Array(stride(from: side, to: picture.height, by: side)))
        let plane = picture.height * picture.width
        let elements = picture.elements
        let bytes = (0..<3 * plane).map { index in
            UInt8(min(max((elements[index % 3 * plane + index / 3] + 1) * 127.5, 0), 255).rounded())
        }
        let rows = bytes.span
        try meter.add(rows: rows)
        return try meter.finish()
    }

    @Test(arguments: ["stable", "large", "plain"])
    func `tiles are what a whole decode has there`(name: String) async throws {
        let whole = try codec(name, tile: nil)
        let canvas = canvas(whole.latentChannels, 24, 40)
        let (expected, wholeRows) = try await picture(whole, canvas)
        #expect(wholeRows.count == 1)
        let (tiled, rows) = try await picture(codec(name, tile: 8), canvas)
        #expect(rows == [Int](repeating: 8 * whole.pixelsPerCell, count: 3))
        // What statistics lose by their rounding, which averages out better the more cells there are.
        #expect(ratio(tiled, expected) > 70)
        let side = 8 * whole.pixelsPerCell
        let (found, wanted) = (try seams(tiled, every: side), try seams(expected, every: side))
        #expect(abs(found.borders.mean - wanted.borders.mean) < 0.01)
        // The measure sees it when tiles have statistics of their own.
        let alone = try await alone(whole, canvas, side: 8)
        #expect(ratio(alone, expected) < 40)
    }

    /// A picture of tiles that were decoded each with its own statistics and nothing around it.
    private func alone(_ codec: AutoencoderCodec, _ canvas: Tensor, side: Int) async throws -> Tensor {
        let scale = codec.pixelsPerCell
        var picture = Tensor(shape: [3, canvas.height * scale, canvas.width * scale])
        for y in stride(from: 0, to: canvas.height, by: side) {
            for x in stride(from: 0, to: canvas.width, by: side) {
                let part = canvas.copy(region: Region(x: x, y: y, width: side, height: side))
                picture.write(try await self.picture(codec, part).0, x: x * scale, y: y * scale)
            }
        }
        return picture
    }

    @Test func `statistics of a part are near those of the whole, and attention to means near attention to all`()
        async throws
    {
        let whole = try codec("stable", tile: nil)
        let canvas = canvas(4, 48, 48)
        let (expected, _) = try await picture(whole, canvas)
        let sampled = try codec("stable", tile: 16) { $0.statisticsBytes = 1 << 20 }
        let fromPart = try await picture(sampled, canvas).0
        let pooled = try codec("stable", tile: 16) { $0.attentionTokens = 600 }
        let toMeans = try await picture(pooled, canvas).0
        let alone = try await alone(whole, canvas, side: 16)
        // 41 dB where blocks are not calibrated.
        #expect(ratio(fromPart, expected) > 47)
        #expect(ratio(toMeans, expected) > ratio(alone, expected) + 10)
        let (found, wanted) = (try seams(fromPart, every: 128), try seams(expected, every: 128))
        #expect(abs(found.borders.mean - wanted.borders.mean) < 0.01)
    }

    @Test(arguments: ["stable", "tiny"])
    func `the bytes are the same for one request and for many`(name: String) async throws {
        let one = try codec(name, tile: 8) { $0.attentionTokens = 70 }
        let canvas = canvas(4, 19, 30)
        let expected = try await picture(one, canvas).0
        let many = try codec(name, tile: 8, modules: 3) { $0.attentionTokens = 70 }
        let found = try await picture(many, canvas).0
        let isSame = found == expected
        #expect(isSame)
    }

    @Test(arguments: [(1, 1), (1, 9), (3, 50), (17, 5), (13, 29)])
    func `any size is decoded`(height: Int, width: Int) async throws {
        for name in ["stable", "tiny"] {
            let canvas = canvas(4, height, width)
            let expected = try await picture(codec(name, tile: nil), canvas).0
            let tiled = try await picture(codec(name, tile: 6), canvas).0
            // A tiny autoencoder has no statistics: only the engine's order of sums differs. Those of so few cells lose
            // some by rounding; such a canvas is decoded whole otherwise.
            #expect(ratio(tiled, expected) > (name == "tiny" ? 110 : 55), "\(name)")
        }
    }

    @Test(arguments: [(150, 9), (9, 300)])
    func `what attention gives is the same when it is kept and when it is computed for rows of tiles`(
        height: Int, width: Int
    ) async throws {
        let kept = try codec("stable", tile: 24)
        let canvas = canvas(4, height, width)
        let expected = try await picture(kept, canvas).0
        let streamed = try codec("stable", tile: 24, modules: 2) { $0.attendedBytes = 0 }
        // Statistics are then taken after attention to rounded numbers.
        #expect(try await ratio(picture(streamed, canvas).0, expected) > 70)
        let whole = try await picture(codec("stable", tile: nil), canvas).0
        #expect(ratio(expected, whole) > 70)
    }

    @Test func `encoding gives what decoding takes`() async throws {
        let codec = try codec("stable", tile: nil)
        let picture = Tensor(shape: [3, 16, 24], repeating: 0.25)
        let latents = try await codec.encode(picture)
        #expect(latents.shape == [4, 2, 3])
        #expect(!latents.elements.contains { !$0.isFinite })
    }

    @Test func `other shapes are refused`() async throws {
        let codec = try codec("stable", tile: nil) { $0.encodedPixels = 256 }
        for shape: Shape in [[3, 8, 8], [4, 0, 8], [1, 4, 8, 8]] {
            let error = await #expect(throws: AutoencoderError.self) {
                try await codec.decode(Tensor(shape: shape)) { _ in }
            }
            #expect(
                error?.description == "cannot decode a canvas of shape \(shape): expected [4, height, width]")
        }
        for shape: Shape in [[1, 8, 8], [3, 12, 8], [3, 64, 64]] {
            await #expect(throws: AutoencoderError.self) { try await codec.encode(Tensor(shape: shape)) }
        }
    }

    @Test func `what the strips' taker throws ends the decoding`() async throws {
        struct Enough: Error {}
        let codec = try codec("tiny", tile: 4)
        let canvas = canvas(4, 12, 12)
        var strips = 0
        await #expect(throws: Enough.self) {
            try await codec.decode(canvas) { _ in
                strips += 1
                if strips == 2 { throw Enough() }
            }
        }
        #expect(strips == 2)
    }

    @Test func `memory does not grow with the canvas`() throws {
        let codec = try codec("stable", tile: 64) { $0.attendedBytes = 0 }
        let small = codec.decodingBytes(height: 512, width: 512)
        // Only bands of the picture are as wide as the canvas.
        let large = codec.decodingBytes(height: 4096, width: 512)
        #expect(small == large)
    }

    @Test func `memory grows with the canvas only until what attention gives is not kept any more`() throws {
        let codec = try codec("stable", tile: 64) {
            $0.attendedBytes = 1 << 20
            $0.attentionTokens = 1
        }
        let sizes = (3...40).map { codec.decodingBytes(height: 64 * $0, width: 64) }
        let most = try #require(sizes.max()) - (sizes.min() ?? 0)
        #expect(most > 1 << 18 && most <= 1 << 20)
    }
}
