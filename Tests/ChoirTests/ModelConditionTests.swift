import Choir
import ChoirSampling
import ChoirTensor
import Testing

@Suite struct ModelConditionTests {
    /// A model that reads no prompts, with two conditions and one size of tiles.
    static func traits() -> ModelTraits {
        var traits = ModelTraits(
            name: "own", precision: "f32", channels: 3, alignment: 16, tile: 64, overlap: 16,
            scales: [.init(start: 0.6, refining: .init(steps: 3, guidance: 1, sampler: .euler))], scaleFactor: 2,
            summary: nil,
            residentBytes: 0, activationBytesPerCell: 0)
        traits.fixesTile = true
        traits.readsPrompts = false
        traits.canGuide = false
        traits.conditions = [
            ModelCondition(name: "season", count: 2, range: 0...1, absent: [0, 1]),
            ModelCondition(name: "class", count: 1, range: 0...9, isWhole: true),
        ]
        return traits
    }

    static func request(_ width: Int = 200, _ height: Int = 100) -> PaintRequest {
        var request = PaintRequest(prompt: "a title", size: PixelSize(width: width, height: height))
        request.conditions = ["class": [3]]
        return request
    }

    static func plan(_ request: PaintRequest, _ traits: ModelTraits = traits()) throws -> PaintPlan {
        try PaintPlan(request: request, traits: traits, modules: 1)
    }

    /// The property that a request is refused for; nil if it is planned.
    static func refusedField(_ request: PaintRequest) -> String? {
        do {
            _ = try plan(request)
            return nil
        } catch {
            return (error as? RequestError)?.field ?? "\(error)"
        }
    }

    static let refusals: [([String: [Double]]?, String)] = [
        (nil, "condition class: found none, expected a number, for which the model has no default"),
        (["class": [10]], "condition class: found 10.0, expected a whole number from 0.0 to 9.0"),
        (["class": [0.5]], "condition class: found 0.5, expected a whole number from 0.0 to 9.0"),
        (["class": [1, 2]], "condition class: found 2, expected a number"),
        (["class": [1], "season": [0]], "condition season: found 1, expected 2 numbers"),
        (["class": [1], "season": [0, -1]], "condition season: found -1.0, expected a number from 0.0 to 1.0"),
        (
            ["class": [1], "size": [0]],
            "condition size: found a condition that own does not have, expected season, class"
        ),
        (["class": []], "condition class: found 0, expected 1 to 65536"),
        (["class": [.nan]], "condition class: found nan, expected finite numbers"),
    ]

    @Test(arguments: refusals)
    func `a condition that the model cannot be told is refused by name`(
        conditions: [String: [Double]]?, sentence: String
    ) {
        var request = Self.request()
        request.conditions = conditions
        let error = #expect(throws: RequestError.self) { try Self.plan(request) }
        #expect(error?.description == sentence)
    }

    @Test func `a model without conditions refuses them`() {
        let error = #expect(throws: RequestError.self) { try Self.plan(Self.request(), FakeDenoiser().traits) }
        #expect(error?.description == "condition class: found a condition that fake does not have, expected none")
    }

    @Test func `prompts and guidance that a model cannot follow are refused`() throws {
        var negative = Self.request()
        negative.negativePrompt = "fog"
        var guided = Self.request()
        guided.guidance = 3
        var region = Self.request()
        region.regions = [try PaintRegion(parsing: "sea@0,0,0.5,1")]
        for (request, field) in [(negative, "negative prompt"), (guided, "guidance"), (region, "regions")] {
            #expect(Self.refusedField(request) == field)
        }
        guided.guidance = 1
        #expect(Self.refusedField(guided) == nil)
    }

    @Test(
        arguments: [(64, 64), (16, 16), (200, 100), (70, 640), (1000, 40), (65, 65)],
        [BridgeKind.consensus, .halo, .none])
    func `every window has the one size that a model takes`(size: (Int, Int), bridge: BridgeKind) throws {
        var request = Self.request(size.0, size.1)
        for bridges in [[bridge], [bridge, .coarse], [bridge, .coarse, .dilated]] {
            request.bridges = bridges
            let plan = try Self.plan(request)
            for stage in plan.stages {
                #expect(stage.tiles.columns.window == 64 && stage.tiles.rows.window == 64)
                #expect(stage.tiles.columns.length >= stage.contentWidth)
                #expect(stage.tiles.rows.length >= stage.contentHeight)
                #expect((stage.tileShape.height, stage.tileShape.width) == (64, 64))
            }
        }
    }

    @Test func `tiles of another size than the model's are refused`() throws {
        var request = Self.request()
        request.tile = 128
        #expect(Self.refusedField(request) == "tile")
        request.tile = 64
        #expect(Self.refusedField(request) == nil)
        request.bridges = [.shift]
        #expect(Self.refusedField(request) == "bridges")
        var ring = Self.request(32, 96)
        ring.bridges = [.consensus]
        ring.tileable = .x
        #expect(Self.refusedField(ring) == "size")
        ring.size = PixelSize(width: 192, height: 96)
        #expect(try Self.plan(ring).stages.last?.tiles.columns.window == 64)
    }

    @Test func `conditions reach the model, survive a run directory and change the canvas`() async throws {
        let scratch = Scratch()
        let request = Self.request()
        let pipeline = try ParallelDiffusionPipeline(denoiser: Told(), modules: 2)
        var canvases: [Tensor] = []
        for try await event in pipeline.paint(request, run: scratch.run) {
            if case .finished(let painting) = event { canvases.append(painting.canvas) }
        }
        for try await event in pipeline.resume(scratch.run) {
            if case .finished(let painting) = event { canvases.append(painting.canvas) }
        }
        let shown = canvases.allSatisfy { $0.elements.allSatisfy { abs($0 - 3) < 1e-5 } }
        #expect(canvases.count == 2 && shown)
    }

    static let texts: [(String, String, [Double])] = [
        ("season=0.5", "season", [0.5]), ("a=b=1,-2e3", "a=b", [1, -2000]), ("\u{e9}=0", "\u{e9}", [0]),
    ]

    @Test(arguments: texts)
    func `a condition is read from text`(text: String, name: String, numbers: [Double]) throws {
        let argument = try ConditionArgument(parsing: text)
        #expect(argument.name == name && argument.numbers == numbers)
    }

    @Test(arguments: ["", "season", "season=", "=1", "season=1,", "season=one", "season=inf", "season=nan", "a=1;2"])
    func `a text that is no condition is refused`(text: String) {
        let error = #expect(throws: RequestError.self) { try ConditionArgument(parsing: text) }
        #expect(error?.field == "condition")
    }
}

/// A model whose picture is the number that it is told.
private struct Told: Denoiser, ModulePool {
    let traits = ModelConditionTests.traits()
    var number: Float = 0
    let concurrency = 1

    func conditioned(by conditions: [String: [Double]]) -> any Denoiser {
        var other = self
        other.number = conditions["class"].map { Float($0[0]) } ?? -1
        return other
    }

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        prompts.map { _ in Tensor(shape: [0]) }
    }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool { self }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        TilePrediction(
            clean: Tensor(shape: input.noisy.shape, repeating: number), publication: nil, networkSeconds: 0)
    }

    func publish(_ input: TileInput) async throws -> TilePublication { preconditionFailure("nothing is published") }
}
