import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import Choir

/// A model whose last steps another one takes.
@Suite struct HandOverTests {
    /// A latent model with a refiner that sees half as many cells as one.
    private static func pair(
        observe: @escaping @Sendable (Bool, TileInput) async throws -> Void = { _, _ in }
    ) -> FakePair {
        var (base, refiner) = (FakeLatentDenoiser(), FakeLatentDenoiser())
        refiner.traits.name = "refiner"
        refiner.traits.alignment = 4
        base.observe = { try await observe(false, $0) }
        refiner.observe = { try await observe(true, $0) }
        return FakePair(base: base, expert: refiner)
    }

    private static func request(sampler: SamplerKind = .ddim, bridge: BridgeKind = .consensus) -> PaintRequest {
        var request = PaintRequest(prompt: "a fox", size: PixelSize(width: 600, height: 400))
        (request.sampler, request.steps, request.handOver) = (sampler, 5, 0.7)
        request.bridges = [bridge, .coarse]
        return request
    }

    @Test func `every size has a stage for each, on the same tiles`() throws {
        let pipeline = try ParallelDiffusionPipeline(denoiser: Self.pair(), modules: 2)
        let plan = try pipeline.plan(Self.request())
        let whole = try PaintPlan(request: unhanded(Self.request()), traits: FakeLatentDenoiser().traits, modules: 2)
        #expect(plan.stages.map(\.belongsToRefiner) == [false, true, false, true, false, true])
        #expect(plan.evaluations == whole.evaluations)
        for (first, second) in zip(plan.stages, plan.stages.dropFirst()) where second.continues {
            #expect(first.tiles == second.tiles && first.rung == second.rung)
            #expect(first.schedule.levels.last == second.schedule.levels.first && first.schedule.isContinued)
            #expect(second.stepsBefore == first.schedule.steps)
            #expect(second.stepsAtSize == first.schedule.steps + second.schedule.steps)
            #expect(first.schedule.levels.dropLast().allSatisfy { $0.time >= 0.3 - 1e-9 })
            #expect(second.schedule.levels.allSatisfy { $0.time < 0.3 })
        }
    }

    private func unhanded(_ request: PaintRequest) -> PaintRequest {
        var request = request
        request.handOver = nil
        return request
    }

    /// Samplers without a memory cannot tell one network from two that are alike, in whatever way tiles are merged and
    /// noise is added. (A multistep sampler begins anew.)
    @Test(arguments: [SamplerKind.euler, .ddim, .eulerAncestral, .lcm], [BridgeKind.consensus, .none, .halo])
    func `handed over to its like, a model paints what it paints alone`(
        sampler: SamplerKind, bridge: BridgeKind
    ) async throws {
        var request = Self.request(sampler: sampler, bridge: bridge)
        var pair = Self.pair()
        pair.expert.traits.alignment = pair.base.traits.alignment
        let handed = try #require(try await painting(request, by: pair)).canvas
        request.handOver = nil
        let alone = try #require(try await painting(request)).canvas
        // Levels are the same numbers; sums are the same sums.
        #expect(handed == alone)
    }

    @Test func `each network is asked at its own levels`() async throws {
        let levels = Levels()
        let pair = Self.pair { isRefiner, input in await levels.note(isRefiner, input.level.time) }
        _ = try await painting(Self.request(), by: pair)
        let (base, refiner) = await (levels.base, levels.refiner)
        #expect(base.count > 0 && refiner.count > 0)
        #expect(base.allSatisfy { $0 >= 0.3 - 1e-9 } && refiner.allSatisfy { $0 < 0.3 })
    }

    private actor Levels {
        var base: [Double] = []
        var refiner: [Double] = []
        func note(_ isRefiner: Bool, _ time: Double) {
            if isRefiner { refiner.append(time) } else { base.append(time) }
        }
    }

    @Test(arguments: [1, 9, 30, 60, 120, 200, 290], [SamplerKind.dpmpp2m, .eulerAncestral])
    func `a run that was killed on either side of the handover ends in the same bits`(
        evaluations: Int, sampler: SamplerKind
    ) async throws {
        struct Killed: Error {}
        let request = Self.request(sampler: sampler)
        let whole = try #require(try await painting(request, by: Self.pair()))
        #expect(whole.plan.evaluations > evaluations)
        let (scratch, counter) = (Scratch(), RunTests.Counter())
        let mortal = Self.pair { _, _ in if await counter.next() >= evaluations { throw Killed() } }
        await #expect(throws: Killed.self) { _ = try await painting(request, by: mortal, run: scratch.run) }
        let pipeline = try ParallelDiffusionPipeline(denoiser: Self.pair(), modules: 3)
        var resumed: Tensor?
        for try await event in pipeline.resume(scratch.run) {
            if case .finished(let painting) = event { resumed = painting.canvas }
        }
        let same = resumed == whole.canvas
        #expect(same)
        // Not without the refiner, nor by another.
        var other = Self.pair()
        other.expert.traits.name = "another"
        for denoiser in [FakeLatentDenoiser(), other] as [any Denoiser] {
            let pipeline = try ParallelDiffusionPipeline(denoiser: denoiser, modules: 1)
            #expect(throws: RunError.self) { _ = try pipeline.plan(scratch.run) }
        }
    }

    @Test func `what guidance leads away from is marked`() async throws {
        let marks = Marks()
        var model = FakeLatentDenoiser()
        model.observe = { await marks.note($0.isNegative, Int($0.embedding.elements[0])) }
        var request = PaintRequest(prompt: "a fox", size: PixelSize(width: 128, height: 128))
        (request.negativePrompt, request.steps, request.guidance) = ("fog", 1, 3)
        _ = try await painting(request, by: model)
        // Regions are denoised apart: negative is what counts below nothing.
        request.regions = [try PaintRegion(parsing: "a castle@0,0,0.5,1")]
        _ = try await painting(request, by: model)
        let (negative, positive) = await (marks.negative, marks.positive)
        #expect(negative == ["fog".utf8.count] && positive == ["a fox".utf8.count, "a castle".utf8.count])
    }

    private actor Marks {
        var negative: Set<Int> = []
        var positive: Set<Int> = []
        func note(_ isNegative: Bool, _ prompt: Int) {
            if isNegative { negative.insert(prompt) } else { positive.insert(prompt) }
        }
    }

    @Test func `a share out of range, or without a refiner, is refused`() throws {
        for (share, denoiser) in [
            (0, Self.pair()), (1, Self.pair()), (.nan, Self.pair()), (0.5, FakeLatentDenoiser()),
        ] as [(Double, any Denoiser)] {
            var request = Self.request()
            request.handOver = share
            let pipeline = try ParallelDiffusionPipeline(denoiser: denoiser, modules: 1)
            let error = #expect(throws: RequestError.self) { _ = try pipeline.plan(request) }
            #expect(error?.description.contains("handover") == true)
        }
    }
}

/// A model and what takes over from it.
struct FakePair: Denoiser {
    var base: FakeLatentDenoiser
    var expert: FakeLatentDenoiser

    var traits: ModelTraits { base.traits }
    var codec: (any LatentCodec)? { base.codec }
    var refiner: (any Denoiser)? { expert }

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        try await base.embeddings(of: prompts, clipSkip: clipSkip)
    }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        try await base.modules(for: shape, embedding: embedding, count: modules)
    }
}
