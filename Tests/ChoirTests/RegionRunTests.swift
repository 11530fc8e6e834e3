import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import Choir

/// Regions through the whole pipeline: progress, runs, modules.
@Suite struct RegionRunTests {
    @Test(arguments: 0..<7, RegionTests.models)
    func `the plan counts the evaluations that are made, and modules change no bit`(
        index: Int, model: FakeDenoiser
    ) async throws {
        let request = try RegionTests.compositions()[index]
        let counter = RunTests.Counter()
        var counting = model
        counting.disturb = { _ in _ = await counter.next() }
        let alone = try await canvas(request, by: counting, modules: 1)
        let plan = try PaintPlan(request: request, traits: model.traits, modules: 1)
        #expect(await counter.next() - 1 == plan.evaluations)
        let same = try await canvas(request, by: model, modules: 8) == alone
        #expect(same)
    }

    @Test(
        arguments: RegionTests.models,
        [(BridgeKind.shift, nil), (.shift, WrappedAxes.xy), (.consensus, .x), (.none, .y)])
    func `regions go with every rule and with canvases that wrap`(
        model: FakeDenoiser, rule: (bridge: BridgeKind, tileable: WrappedAxes?)
    ) async throws {
        // The map and the last of the regions reach the edges that meet.
        var request = try RegionTests.compositions()[6]
        request.map = try RegionTests.map(2, [0, 1, 2, 3])
        request.size = PixelSize(width: 128, height: 96)
        request.bridges = [rule.bridge, .attention, .coarse]
        request.tileable = rule.tileable
        let counter = RunTests.Counter()
        var counting = model
        counting.disturb = { _ in _ = await counter.next() }
        let alone = try await canvas(request, by: counting, modules: 1)
        let plan = try PaintPlan(request: request, traits: model.traits, modules: 1)
        #expect(await counter.next() - 1 == plan.evaluations)
        let same = try await canvas(request, by: model, modules: 8) == alone
        #expect(same)
        guard model.traits.conditioningCell == nil else { return }
        let scratch = Scratch()
        try await RunTests().paint(request, in: scratch.run, predictions: plan.evaluations * 3 / 4)
        let continued = try await RunTests().resumed(scratch.run) == alone
        #expect(continued)
    }

    @Test func `views of the whole canvas are told what their cells show`() async throws {
        // Where all is alike, so is what is told: half of the views' cells are of either prompt.
        actor Told { var lengths: Set<Float> = []; func add(_ length: Float) { lengths.insert(length) } }
        let (told, counter) = (Told(), RunTests.Counter())
        var model = FakeLatentDenoiser()
        model.observe = { input in
            _ = await counter.next()
            await told.add(input.embedding.elements[0])
        }
        var request = PaintRequest(prompt: "1", size: PixelSize(width: 512, height: 256))
        request.guidance = 1
        request.bridges = [.consensus, .coarse, .dilated]
        let plain = try PaintPlan(request: request, traits: model.traits, modules: 1)
        request.regions = [RegionTests.region("22", 0, 0, 0.5, 1), RegionTests.region("333", 0.5, 0, 0.5, 1)]
        _ = try await painting(request, by: model)
        let plan = try PaintPlan(request: request, traits: model.traits, modules: 1)
        #expect(await counter.next() - 1 == plan.evaluations)
        #expect(await told.lengths == [2, 3])
        let views = try #require(plan.finest.views)
        #expect((0..<views.count).allSatisfy { plan.finest.regions.evaluations(in: views.cells($0)) == 2 })
        #expect(plan.evaluations > plain.evaluations)
        // A region that is everywhere is the plain prompt, in views too.
        request.regions = [RegionTests.region("4444", 0, 0, 1, 1)]
        var alone = request
        (alone.prompt, alone.regions) = ("4444", nil)
        let (covered, expected) = (try await painting(request), try await painting(alone))
        let same = try #require(covered).canvas == #require(expected).canvas
        #expect(same)
    }

    @Test func `each distinct prompt that touches a tile is one evaluation where a model is told one thing`() throws {
        var request = RegionTests.request { $0.regions = [RegionTests.region("b", 0, 0, 0.5, 1, feather: 0)] }
        request.size = PixelSize(width: 256, height: 64)
        request.bridges = [.none]
        request.overlap = 0
        request.guidance = 1
        func perStep(_ change: (inout PaintRequest) -> Void = { _ in }, cell: Int? = nil) throws -> Int {
            var traits = FakeDenoiser().traits
            traits.conditioningCell = cell
            var changed = request
            change(&changed)
            return try PaintPlan(request: changed, traits: traits, modules: 1).finest.evaluationCounts[0]
        }
        // Four tiles of 64, and the border between the second and the third.
        #expect(try perStep() == 4)
        #expect(try perStep { $0.regions?[0].rectangle.width = 0.4 } == 5)
        #expect(try perStep({ $0.regions?[0].rectangle.width = 0.4 }, cell: 16) == 4)
        #expect(try perStep { $0.regions?[0].content.prompt = $0.prompt } == 4)
        // Two of the tiles are guided.
        #expect(
            try {
                var traits = FakeDenoiser().traits
                traits.scales = [.init(start: 1, refining: .init(steps: 3, guidance: 1, sampler: .euler))]
                var guided = request
                guided.regions?[0].content.guidance = 3
                return try PaintPlan(request: guided, traits: traits, modules: 1).finest.evaluationCounts[0]
            }() == 6)
    }

    @Test(arguments: [1, 4, 5, 6], [9, 31])
    func `a composition that was cut off continues to the same bits`(index: Int, predictions: Int) async throws {
        let request = try RegionTests.compositions()[index]
        let whole = try await canvas(request)
        let scratch = Scratch()
        try await RunTests().paint(request, in: scratch.run, predictions: predictions)
        #expect(try scratch.run.record().request == request)
        let same = try await RunTests().resumed(scratch.run) == whole
        #expect(same)
    }

    @Test func `progress ends at the plan's evaluations`() async throws {
        let request = try RegionTests.compositions()[6]
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 3)
        var last = 0
        for try await event in pipeline.paint(request) {
            if case .tile(let done, _) = event { last = done }
        }
        #expect(try last == pipeline.plan(request).evaluations)
    }

    @Test(arguments: RegionTests.models)
    func `a rectangle drawn with the same seed changes nothing`(model: FakeDenoiser) async throws {
        let request = RegionTests.request { $0.seed = 11 }
        var reseeded = request
        reseeded.reseeds = [Reseed(PictureRectangle(x: 0.2, y: 0.3, width: 0.4, height: 0.4), seed: 11)]
        let same = try await canvas(request, by: model) == canvas(reseeded, by: model)
        #expect(same)
    }

    @Test func `another seed changes the noise of a rectangle's cells and of no other`() {
        let whole = Region(x: 0, y: 0, width: 208, height: 144)
        let request = RegionTests.request {
            $0.seed = 2
            $0.reseeds = [Reseed(PictureRectangle(x: 0.25, y: 0.25, width: 0.125, height: 0.5), seed: 3)]
        }
        let noise = CanvasNoise(request, pictureWidth: 208, pictureHeight: 144)
            .normal(region: whole, channels: 3, draw: 1)
        let one = CounterNoise(seed: 2).normal(region: whole, channels: 3, draw: 1)
        let other = CounterNoise(seed: 3).normal(region: whole, channels: 3, draw: 1)
        let inside = Region(x: 52, y: 36, width: 26, height: 72)
        let right = noise.elements.indices.allSatisfy { index in
            let cell = index % (208 * 144)
            return noise.elements[index]
                == (inside.contains(x: cell % 208, y: cell / 208) ? other : one).elements[index]
        }
        #expect(right)
    }

    @Test func `noise that was given stands for the request's seed, below the seeds of parts`() throws {
        let request = RegionTests.request {
            $0.seed = 2
            $0.regions = [RegionTests.region("a", 0.5, 0, 0.5, 0.5)]
            $0.reseeds = [Reseed(PictureRectangle(x: 0, y: 0, width: 0.25, height: 1), seed: 2)]
        }
        let given = Tensor(shape: [3, 16, 16], elements: (0..<768).map(Float.init))
        let noise = CanvasNoise(request, pictureWidth: 16, pictureHeight: 16, given: given)
            .normal(region: Region(x: 2, y: 3, width: 14, height: 13), channels: 3, draw: 0)
        let own = CounterNoise(seed: 2).normal(
            region: Region(x: 2, y: 3, width: 2, height: 13), channels: 3, draw: 0)
        var expected = given.copy(region: Region(x: 2, y: 3, width: 14, height: 13))
        expected.write(own, x: 0, y: 0)
        let same = noise == expected
        #expect(same)
    }

    @Test func `a network that reads the scale of guidance is told that of each region`() async throws {
        actor Scales {
            var told: [Float: Set<Double>] = [:]
            func add(_ prompt: Float, _ scale: Double) { told[prompt, default: []].insert(scale) }
        }
        let scales = Scales()
        var model = FakeLatentDenoiser()
        model.traits.readsGuidance = true
        model.observe = { await scales.add($0.embedding.elements[0], $0.guidanceScale) }
        var request = PaintRequest(prompt: "1", size: PixelSize(width: 256, height: 128))
        request.guidance = 3
        request.regions = [
            RegionTests.region("22", 0.25, 0, 0.25, 1), RegionTests.region("1", 0.5, 0, 0.25, 1),
        ]
        request.regions?[0].content.guidance = 5
        request.regions?[1].content.guidance = 7
        _ = try await painting(request, by: model)
        // One prompt with two scales is two evaluations; none is for a negative prompt.
        #expect(await scales.told == [1: [3, 7], 2: [5]])
        let counted = try PaintPlan(request: request, traits: model.traits, modules: 1).finest.evaluationCounts[0]
        #expect(counted > 3)
    }

    @Test func `the last part that a cell lies in gives its seed`() throws {
        let request = try RegionTests.request {
            $0.map = try RegionMap(
                width: 2, height: 1, cells: [0, 1], contents: [nil, RegionContent(prompt: "a", seed: 5)])
            $0.regions = [RegionTests.region("b", 0.25, 0, 0.5, 0.5), RegionTests.region("c", 0.5, 0, 0.5, 0.25)]
            $0.regions?[0].content.seed = 6
            $0.reseeds = [Reseed(PictureRectangle(x: 0.75, y: 0.75, width: 0.25, height: 0.25), seed: 7)]
        }
        let noise = CanvasNoise(request, pictureWidth: 16, pictureHeight: 16)
        // Rows and columns beyond the picture belong to what touches its edge; parts are drawn as the whole is.
        for part in [Region(x: 0, y: 0, width: 20, height: 20), Region(x: 3, y: 5, width: 16, height: 9)] {
            let drawn = noise.normal(region: part, channels: 3, draw: 0)
            for (x, y, seed) in [
                (3, 8, 0), (12, 8, 5), (5, 5, 6), (9, 7, 6), (9, 2, 0), (15, 6, 5), (18, 12, 7), (13, 13, 7), (7, 9, 0),
            ] where part.contains(x: x, y: y) {
                let cell = Region(x: x, y: y, width: 1, height: 1)
                let expected = CounterNoise(seed: UInt64(seed)).normal(region: cell, channels: 3, draw: 0).elements
                let found = drawn.copy(
                    region: Region(x: x - part.x, y: y - part.y, width: 1, height: 1)
                ).elements
                #expect(found == expected, "cell \(x), \(y)")
            }
        }
    }

    @Test func `nothing changes beyond the reach of a rectangle that is drawn anew`() async throws {
        // The arithmetic model looks one cell to the left in each of 3 steps, and here at no coarser picture.
        var model = FakeDenoiser()
        model.isLocal = true
        var request = PipelineTests.request()
        request.bridges = [.consensus]
        request.steps = 3
        var reseeded = request
        reseeded.reseeds = [Reseed(PictureRectangle(x: 0.25, y: 0.25, width: 0.125, height: 0.5), seed: 3)]
        let changed = RegionTests.changedCells(
            try await canvas(request, by: model), try await canvas(reseeded, by: model))
        #expect(changed.count > 26 * 72 - 10)
        #expect(changed.allSatisfy { (52..<78 + 3).contains($0.x) && (36..<108).contains($0.y) })
    }
}
