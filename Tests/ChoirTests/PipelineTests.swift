import Choir
import ChoirSampling
import ChoirTensor
import Testing

@Suite struct PipelineTests {
    static func request(width: Int = 208, height: Int = 144) -> PaintRequest {
        PaintRequest(prompt: "a red nebula", size: PixelSize(width: width, height: height))
    }

    @Test(arguments: SamplerKind.allCases)
    func `one module and eight paint the same bits`(sampler: SamplerKind) async throws {
        var request = Self.request()
        request.sampler = sampler
        let alone = try await canvas(request, modules: 1)
        let together = try await canvas(request, modules: 8)
        #expect(alone?.width == 208)
        let same = alone == together
        #expect(same)
    }

    @Test func `the order in which tiles finish does not matter`() async throws {
        var slow = FakeDenoiser()
        slow.disturb = { input in
            // Tiles that hold larger first numbers wait longer: an order of their own in every step.
            let wait = Int(abs(input.noisy.elements[0]) * 3)
            try await Task.sleep(for: .milliseconds(wait))
        }
        let mixed = try await canvas(Self.request(), by: slow, modules: 5)
        let same = try await canvas(Self.request(), modules: 1) == mixed
        #expect(same)
    }

    @Test(arguments: [(8, [2, 1]), (1, [1, 1])])
    func `no more modules are asked for than a stage can keep busy`(modules: Int, expected: [Int]) async throws {
        var model = FakeDenoiser()
        let asked = AskedModules()
        model.make = { await asked.note($0) }
        // A tile at each size; guidance asks twice at the coarser one.
        _ = try await canvas(Self.request(width: 64, height: 64), by: model, modules: modules)
        let counts = await asked.counts
        #expect(counts == expected)
    }

    @Test func `sizes with tiles of one shape share their modules`() async throws {
        var model = FakeDenoiser()
        let asked = AskedModules()
        model.make = { await asked.note($0) }
        var request = Self.request(width: 256, height: 256)
        request.bridges = [.consensus, .coarse]
        let shapes = try PaintPlan(request: request, traits: model.traits, modules: 8).stages.map(\.tileShape)
        #expect(shapes.count == 2 && shapes[0] == shapes[1])
        // One tile, guided, at the coarser size, which alone would keep two busy.
        _ = try await canvas(request, by: model, modules: 8)
        let counts = await asked.counts
        #expect(counts == [8])
    }

    @Test func `prompt, seed, negative prompt, guidance and bridges each change the picture`() async throws {
        let base = try await canvas(Self.request())
        var others: [PaintRequest] = []
        for change: (inout PaintRequest) -> Void in [
            { $0.prompt = "a blue nebula" }, { $0.seed = 1 }, { $0.negativePrompt = "stars" }, { $0.guidance = 5 },
            { $0.bridges = [.consensus, .coarse] }, { $0.bridges = [.consensus, .attention] },
            { $0.bridges = [.attention, .coarse] }, { $0.steps = 5 }, { $0.tile = 96 }, { $0.overlap = 32 },
        ] {
            var other = Self.request()
            change(&other)
            others.append(other)
        }
        var seen = [base]
        for other in others {
            let painted = try await canvas(other)
            let isNew = !seen.contains(painted)
            #expect(isNew, "\(other) painted what another request painted")
            seen.append(painted)
        }
    }

    @Test(arguments: [(16, 16), (17, 300), (64, 64), (200, 90), (256, 1000)])
    func `any size is painted, without a number that is not finite`(width: Int, height: Int) async throws {
        let request = Self.request(width: width, height: height)
        let painted = try #require(try await canvas(request))
        #expect(painted.width >= width && painted.height >= height)
        let finite = painted.elements.allSatisfy { $0.isFinite }
        #expect(finite)
    }

    @Test func `progress counts every evaluation and step of the plan`() async throws {
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 3)
        let plan = try pipeline.plan(Self.request())
        var tiles: [Int] = []
        var steps: [Int] = []
        for try await event in pipeline.paint(Self.request()) {
            switch event {
            case .tile(let done, let count):
                tiles.append(done)
                #expect(count == plan.evaluations)
            case .step(let done, let count):
                steps.append(done)
                #expect(count == 7)
            default: break
            }
        }
        #expect(tiles.last == plan.evaluations)
        #expect(tiles == tiles.sorted())
        #expect(steps == Array(1...7))
    }

    @Test func `previews have the side that was asked for`() async throws {
        var request = Self.request()
        request.previewSide = 40
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 2)
        var previews: [Tensor] = []
        for try await event in pipeline.paint(request) {
            if case .preview(let preview) = event { previews.append(preview) }
        }
        #expect(previews.count == 7)
        #expect(previews.map { max($0.width, $0.height) }.allSatisfy { $0 <= 40 })
    }

    @Test func `a module that fails ends the painting with its error`() async throws {
        struct Broken: Error {}
        var broken = FakeDenoiser()
        broken.disturb = { input in if input.scale == 0 { throw Broken() } }
        await #expect(throws: Broken.self) { _ = try await canvas(Self.request(), by: broken) }
    }

    static let unpaintable: [(String, @Sendable (inout PaintRequest) -> Void)] = [
        ("width", { $0.size.width = 0 }), ("width", { $0.size.width = -5 }), ("height", { $0.size.height = 1 << 40 }),
        ("prompt", { $0.prompt = String(repeating: "a", count: 20_000) }), ("steps", { $0.steps = 0 }),
        ("tile", { $0.tile = 1 << 20 }), ("overlap", { $0.overlap = -1 }), ("overlap", { $0.overlap = 60 }),
        ("guidance", { $0.guidance = .nan }), ("bridges", { $0.bridges = [.attention, .attention] }),
    ]

    @Test(arguments: unpaintable)
    func `what cannot be painted is refused by the name of its field`(
        field: String, change: @Sendable (inout PaintRequest) -> Void
    ) throws {
        var request = Self.request()
        change(&request)
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 2)
        do {
            _ = try pipeline.plan(request)
            Issue.record("planned \(request)")
        } catch let error as RequestError {
            #expect(error.field == field)
        }
    }
}
