import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import Choir

@Suite struct BridgePlanTests {
    /// As Cosmos paints, but for what does not matter to a plan.
    private func plan(_ bridge: BridgeKind, tileable: WrappedAxes? = nil, tile: Int? = 512) throws -> Stage {
        var traits = FakeDenoiser().traits
        (traits.tile, traits.overlap) = (512, 64)
        var request = PaintRequest(prompt: "", size: PixelSize(width: 4096, height: 4096))
        request.tile = tile
        request.guidance = 1
        request.bridges = [bridge]
        request.tileable = tileable
        return try PaintPlan(request: request, traits: traits, modules: 4).finest
    }

    @Test(arguments: [(BridgeKind.none, 81), (.consensus, 81), (.halo, 81), (.shift, 64)])
    func `evaluations a step at 4096 by 4096 are the number of tiles`(bridge: BridgeKind, count: Int) throws {
        for tileable in [nil] + WrappedAxes.allCases {
            let stage = try plan(bridge, tileable: tileable, tile: tileable == nil ? 512 : nil)
            #expect(stage.evaluations == count * stage.schedule.steps)
        }
    }

    @Test func `what refines nothing is painted as its scale composes, unless a request says otherwise`() throws {
        var request = PipelineTests.request()
        let finest = { (bridges: [BridgeKind]) in
            request.bridges = bridges
            let plan = try PaintPlan(request: request, traits: FakeDenoiser().traits, modules: 1)
            return [Double(plan.finest.schedule.steps), plan.finest.guidanceScale]
        }
        #expect(try finest([.consensus]) == [4, 2])
        #expect(try finest([.consensus, .coarse]) == [3, 1])
        request.steps = 5
        request.guidance = 7
        #expect(try finest([.consensus]) == [5, 7])
        #expect(try finest([.consensus, .coarse]) == [5, 1])
    }

    @Test func `what is composed larger than the model's tile has a schedule shifted by as much`() throws {
        // 4096 cells a side and tiles of 512, whatever tile a request names.
        let shifted = try FakeDenoiser().traits.noise.schedule(steps: 4, sampler: .euler, start: 1, shift: 8)
        #expect(try plan(.consensus).schedule == shifted)
        #expect(try plan(.consensus, tile: 256).schedule == shifted)
        #expect(shifted != (try FakeDenoiser().traits.noise.schedule(steps: 4, sampler: .euler, start: 1, shift: 1)))
        var request = PipelineTests.request()
        request.size = PixelSize(width: 4096, height: 4096)
        request.bridges = [.consensus, .coarse]
        var traits = FakeDenoiser().traits
        (traits.tile, traits.overlap) = (1024, 64)
        let plan = try PaintPlan(request: request, traits: traits, modules: 1)
        #expect(
            try plan.finest.schedule
                == traits.noise.schedule(steps: 3, sampler: .euler, start: 0.8, shift: 1))
    }

    @Test func `only regions, and a model that can mix them in a tile, take a prompt in each square`() throws {
        for model in RegionTests.models {
            let mixes = model.traits.conditioningCell != nil
            let plain = try PaintPlan(request: RegionTests.request { _ in }, traits: model.traits, modules: 1)
            #expect(plain.stages.allSatisfy { !$0.tileShape.hasPromptPerSquare })
            for request in try RegionTests.compositions() {
                let plan = try PaintPlan(request: request, traits: model.traits, modules: 1)
                #expect(plan.stages.allSatisfy { $0.tileShape.hasPromptPerSquare == mixes })
            }
        }
    }

    @Test func `a grid that moves keeps its tile on a ring, and makes it longer by what it needs elsewhere`() throws {
        #expect(try plan(.shift, tileable: .xy).tiles.columns.window == 512)
        #expect(try plan(.shift).tiles.columns.window == 528)
    }

    @Test func `borders of a grid that moves come to lie all over their room`() throws {
        let stage = try plan(.shift)
        let first = (0..<16).map { stage.tiles(at: $0).columns.borders[3] }
        #expect(Set(first).count >= 8)
        #expect(first.allSatisfy { (1984...2112).contains($0) })
        let ring = try plan(.shift, tileable: .x)
        let borders = (0..<16).flatMap { ring.tiles(at: $0).columns.borders }.map { $0 % 512 }.sorted()
        let gaps = zip(Array(Set(borders)).sorted(), Array(Set(borders)).sorted().dropFirst()).map { $1 - $0 }
        #expect(try #require(gaps.max()) <= 96)
    }

    @Test func `tiles that keep a state of their own take more memory where they overlap`() throws {
        #expect(try plan(.none).stateShape(channels: 3).dimensions == [3, 9 * 512, 9 * 512])
        #expect(try plan(.halo).stateShape(channels: 3).dimensions == [3, 4096, 4096])
    }

    static let refusals: [(String, @Sendable (inout PaintRequest) -> Void)] = [
        ("bridges", { $0.bridges = [.consensus, .halo] }), ("bridges", { $0.bridges = [.none, .attention, .shift] }),
        (
            "bridge weights",
            {
                $0.bridges = [.halo]
                $0.weights = .gaussian
            }
        ),
        (
            "overlap",
            {
                $0.bridges = [.shift]
                $0.overlap = 16
            }
        ),
        ("overlap", { $0.overlap = FakeDenoiser().traits.tile }),
        (
            "width",
            {
                $0.size.width = 1001
                $0.tileable = .x
            }
        ),
        (
            "height",
            {
                $0.size.height = 1002
                $0.tileable = .xy
            }
        ),
    ]

    @Test(arguments: refusals)
    func `what does not go together is refused`(field: String, change: @Sendable (inout PaintRequest) -> Void) throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 1000, height: 1000))
        change(&request)
        do {
            _ = try PaintPlan(request: request, traits: FakeDenoiser().traits, modules: 1)
            Issue.record("planned \(request)")
        } catch let error as RequestError {
            #expect(error.field == field)
        }
    }

    @Test func `a request from before there were weights and rings can still be read`() throws {
        let json = """
            {"bridges":["consensus"],"negativePrompt":"","prompt":"a","seed":1,"size":{"height":64,"width":64}}
            """
        let request = try JSONDecoder().decode(PaintRequest.self, from: Data(json.utf8))
        #expect(request.weights == nil && request.tileable == nil)
    }

    @Test func `gaussian weights are those of the paper, centred on both axes`() {
        let axis = TileAxis(length: 64, window: 64, overlap: 0, alignment: 16)
        let raw = ConsensusWeights.gaussian.raw(of: 0, along: axis)
        // exp(-(i - 31.5)² / (2 · 0.01 · 64²)) in Python.
        #expect(abs(raw[0] - 5.490_854e-06) < 1e-11)
        #expect(abs(raw[16] - 0.053_250_97) < 1e-8)
        #expect(zip(raw, raw.reversed()).allSatisfy { $0 == $1 })
    }
}

@Suite struct SkipResidualTests {
    @Test func `it is all of the canvas at pure noise, an eighth half way, and nothing at the end`() {
        let residual = SkipResidual(strength: 1, start: 1)
        #expect(abs(residual.share(done: 0) - 1) < 1e-12)
        #expect(abs(residual.share(done: 0.5) - 0.125) < 1e-12)
        #expect(residual.share(done: 0.99) < 1e-6)
        // A stage that begins at half of the way begins with the share of half of the way.
        #expect(abs(SkipResidual(strength: 0.5, start: 0.5).share(done: 0) - 0.0625) < 1e-12)
    }

    @Test func `it is there for models that do not see the coarser picture, or if it is asked for`() throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 512, height: 512))
        let blind = FakeLatentDenoiser().traits
        #expect(try PaintPlan(request: request, traits: blind, modules: 1).finest.residual?.strength == 1)
        #expect(try PaintPlan(request: request, traits: FakeDenoiser().traits, modules: 1).finest.residual == nil)
        request.skipResidual = 0
        #expect(try PaintPlan(request: request, traits: blind, modules: 1).finest.residual == nil)
        request.skipResidual = 0.5
        let stages = try PaintPlan(request: request, traits: FakeDenoiser().traits, modules: 1).stages
        #expect(stages[0].residual == nil && stages[1].residual?.strength == 0.5)
        request.bridges = [.consensus]
        #expect(throws: RequestError.self) { try request.validate() }
    }

    @Test(arguments: [BridgeKind.consensus, .none])
    func `what is held comes closer to the coarser picture, and continues to the same bits`(
        bridge: BridgeKind
    ) async throws {
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 144, height: 80))
        request.bridges = [bridge, .coarse]
        request.sampler = .heun
        let free = try await canvas(request)
        request.skipResidual = 1
        let held = try await canvas(request)
        #expect(free != held)
        let scratch = Scratch()
        let count = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 1).plan(request).evaluations
        try await RunTests().paint(request, in: scratch.run, predictions: count - 3)
        let same = try await RunTests().resumed(scratch.run) == held
        #expect(same)
    }
}
