import Choir
import ChoirSampling
import ChoirTensor
import Foundation
import Synchronization
import Testing

@Suite struct LatentTests {
    static func request(width: Int = 500, height: Int = 308) -> PaintRequest {
        PaintRequest(prompt: "a red nebula", size: PixelSize(width: width, height: height))
    }

    @Test func `pictures are planned in pixels and painted in cells`() async throws {
        var request = Self.request()
        request.bridges = [.consensus]
        request.tile = 128
        request.overlap = 40
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 1)
        let plan = try pipeline.plan(request)
        let stage = plan.finest
        #expect(plan.stages.count == 1)
        // 500 x 308 pixels are 62.5 x 38.5 cells, and canvases are even.
        #expect((stage.contentWidth, stage.contentHeight) == (63, 39))
        #expect((stage.tiles.columns.length, stage.tiles.rows.length) == (64, 40))
        #expect((stage.tiles.columns.window, stage.overlap >= 5) == (16, true))
        #expect(plan.peakBytes > 64 * 40 * 1_000_000)
        let painted = try #require(try await painting(request))
        #expect(painted.canvas.shape == [4, 40, 64])
    }

    @Test func `strips of a codec and of a plain canvas make up the picture and no more`() async throws {
        var request = Self.request()
        request.bridges = [.consensus]
        for denoiser in [FakeLatentDenoiser(), FakeDenoiser()] as [any Denoiser] {
            let painted = try #require(try await painting(request, by: denoiser))
            var rows = 0
            var differences = 0
            try await painted.strips { strip in
                #expect(strip.shape[0] == 3 && strip.width == 500)
                for (row, column) in [(0, 0), (strip.height - 1, 499), (strip.height / 2, 77)] {
                    let cell = denoiser.traits.pixelsPerCell
                    let expected = painted.canvas[2, (rows + row) / cell, column / cell]
                    differences += strip[2, row, column] == expected ? 0 : 1
                }
                rows += strip.height
            }
            #expect(rows == 308)
            #expect(differences == 0)
        }
    }

    @Test func `a strip that cannot be taken ends the decoding`() async throws {
        struct Full: Error {}
        let painted = try #require(try await painting(Self.request()))
        await #expect(throws: Full.self) { try await painted.strips { _ in throw Full() } }
    }

    static let ladders: [(Int, Int, [String])] = [
        (128, 128, ["16x16"]), (160, 160, ["20x20"]), (256, 256, ["16x16", "32x32"]),
        (1024, 1024, ["16x16", "32x32", "64x64", "128x128"]), (1024, 512, ["23x11", "54x27", "128x64"]),
        (1024, 128, ["64x8", "128x16"]), (500, 308, ["20x13", "36x22", "63x39"]), (16, 1000, ["2x125"]),
    ]

    @Test(arguments: ladders)
    func `a model of one scale paints at its own size first`(width: Int, height: Int, sizes: [String]) throws {
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 1)
        let plan = try pipeline.plan(Self.request(width: width, height: height))
        #expect(plan.stages.map { "\($0.contentWidth)x\($0.contentHeight)" } == sizes)
        #expect(plan.stages.map(\.refines) == sizes.indices.map { $0 > 0 })
        #expect(plan.stages.map(\.rung) == sizes.indices.reversed())
        if sizes.count > 1, min(width, height) > 128 { #expect(plan.stages[0].tiles.count == 1) }
    }

    @Test func `samplers that add noise paint the same bits with any number of modules`() async throws {
        var request = Self.request()
        let plain = try await painting(request)?.canvas
        request.eta = 1
        let alone = try await painting(request, modules: 1)?.canvas
        let together = try await painting(request, modules: 7)?.canvas
        let same = alone == together
        let other = alone != plain
        #expect(same && other)
        request.sampler = .euler
        #expect(throws: SamplingError.self) {
            try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 1).plan(request)
        }
    }

    @Test func `guidance below 1 is none, and as asked for above`() throws {
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 1)
        for (asked, scale) in [(nil, 2), (0, 1), (0.5, 1), (1, 1), (7.3, 7.3)] as [(Double?, Double)] {
            var request = Self.request()
            request.guidance = asked
            #expect(try pipeline.plan(request).stages.allSatisfy { $0.guidance.scale == scale })
        }
    }

    @Test func `tiles know where they lie in which picture`() async throws {
        let seen = Mutex<Set<[Int]>>([])
        var denoiser = FakeLatentDenoiser()
        denoiser.observe = { input in
            let (window, picture) = (input.window, input.picture)
            let numbers = [picture.width, picture.height, window.x, window.y, window.width, window.height]
            seen.withLock { _ = $0.insert(numbers) }
        }
        let plan = try #require(try await painting(Self.request(), by: denoiser)).plan
        let expected = plan.stages.flatMap { stage in
            stage.tiles.tiles.map {
                [stage.contentWidth, stage.contentHeight, $0.window.x, $0.window.y, $0.window.width, $0.window.height]
            }
        }
        #expect(seen.withLock { $0 } == Set(expected))
    }

    @Test func `previews are decoded`() async throws {
        var request = Self.request()
        request.previewSide = 100
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 2)
        var shapes: [Shape] = []
        for try await event in pipeline.paint(request) {
            if case .preview(let preview) = event { shapes.append(preview.shape) }
        }
        #expect(!shapes.isEmpty)
        #expect(shapes.allSatisfy { $0[0] == 3 && max($0[1], $0[2]) <= 100 && max($0[1], $0[2]) > 50 })
    }
}
