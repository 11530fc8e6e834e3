import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

/// Scales that do not all lie as far apart as tiles see: an eighth below a quarter, which sees a sixteenth.
@Suite struct ScaleTests {
    private static var denoiser: FakeDenoiser {
        var denoiser = FakeDenoiser()
        denoiser.traits.scales.append(.init(reduction: 8, steps: 2, guidance: 2, start: 1, shift: 1))
        return denoiser
    }

    private actor Seen {
        private(set) var shapes: [Int: Set<Shape?>] = [:]
        func add(_ input: TileInput) { shapes[input.scale, default: []].insert(input.coarse?.shape) }
    }

    @Test func `scales have reductions, and tiles see the coarser one at a quarter of their side`() async throws {
        let seen = Seen()
        var denoiser = Self.denoiser
        denoiser.disturb = { await seen.add($0) }
        let request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 200))
        let plan = try PaintPlan(request: request, traits: denoiser.traits, modules: 1)
        #expect(plan.stages.map { [$0.contentWidth, $0.contentHeight] } == [[32, 25], [64, 50], [256, 200]])
        #expect(plan.stages.map(\.pooling) == [2, 1, 1])
        _ = try await canvas(request, by: denoiser)
        #expect(await seen.shapes[2] == [nil])
        for stage in plan.stages.dropFirst() {
            let (rows, columns) = (stage.tiles.rows.window, stage.tiles.columns.window)
            #expect(await seen.shapes[stage.scale] == [[3, rows / 4, columns / 4]])
        }
    }

    /// A model whose coarsest scale says where in the picture a cell is, and whose others say what they see.
    @Test func `what tiles see is the mean of the coarser cells that lie there`() async throws {
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 256))
        request.bridges = [.consensus, .coarse]
        let pipeline = try ParallelDiffusionPipeline(denoiser: PlaceDenoiser(), modules: 2)
        var painted: Tensor?
        for try await event in pipeline.paint(request) {
            if case .finished(let painting) = event { painted = painting.canvas }
        }
        let canvas = try #require(painted)
        // Columns of the eighth are 0 ... 31; a cell of the sixteenth is the mean of two, and covers 16 of the full size.
        for x in stride(from: 0, to: 256, by: 16) {
            #expect(abs(canvas[0, 100, x + 8] - Float(x / 16 * 2) - 0.5) < 1e-4)
        }
    }

    @Test(arguments: [1, 3, 6, 20])
    func `a painting on such scales is cut off and continues to the same bits`(predictions: Int) async throws {
        let request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 200))
        let whole = try await canvas(request, by: Self.denoiser)
        let counter = RunTests.Counter()
        var mortal = Self.denoiser
        mortal.disturb = { _ in if await counter.next() >= predictions { throw RunTests.Killed() } }
        let scratch = Scratch()
        await #expect(throws: RunTests.Killed.self) { _ = try await canvas(request, by: mortal, run: scratch.run) }
        let pipeline = try ParallelDiffusionPipeline(denoiser: Self.denoiser, modules: 3)
        var resumed: Tensor?
        for try await event in pipeline.resume(scratch.run) {
            if case .finished(let painting) = event { resumed = painting.canvas }
        }
        let same = resumed == whole
        #expect(same)
    }

    @Test func `a step rule belongs to its scale, the other settings to what composes`() throws {
        var traits = Self.denoiser.traits
        traits.scales[2].sampler = .eulerAncestral
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 200))
        let stages = try PaintPlan(request: request, traits: traits, modules: 1).stages
        #expect(stages.map(\.sampler) == [.eulerAncestral, .euler, .euler])
        request.bridges = [.consensus]
        let alone = try PaintPlan(request: request, traits: traits, modules: 1).stages
        #expect(alone.map(\.sampler) == [.euler] && alone[0].schedule.steps == 2 && alone[0].guidanceScale == 2)
        request.sampler = .dpmpp2m
        #expect(try PaintPlan(request: request, traits: traits, modules: 1).finest.sampler == .dpmpp2m)
    }

    @Test func `a ring and a set are made of whole cells of what tiles see`() throws {
        let traits = Self.denoiser.traits
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 264, height: 256))
        request.tileable = .xy
        #expect(throws: RequestError.self) { try PaintPlan(request: request, traits: traits, modules: 1) }
        request.size = PixelSize(width: 272, height: 256)
        let plan = try PaintPlan(request: request, traits: traits, modules: 1)
        #expect(plan.stages.map(\.tiles.columns.length) == [34, 68, 272])

        let images = [TileImage(name: "a", prompt: "", seed: 1, sides: TileImage.sides(joining: .xy))]
        let set = try TileSetPlan(
            request: TileSetRequest(images: images, size: PixelSize(width: 128, height: 128)), traits: traits)
        for (coarser, finer) in zip(set.stages, set.stages.dropFirst()) {
            // All of the finer tile lies within the coarser one, at whole cells.
            let seen = { (cells: Int) in cells / 4 * coarser.pooling }
            #expect(finer.frame.picture.x % 4 == 0)
            #expect(coarser.frame.picture.x >= seen(finer.frame.picture.x))
            #expect(
                coarser.frame.picture.x - seen(finer.frame.picture.x) + seen(finer.frame.width) <= coarser.frame.width)
        }
    }
}

/// At the coarsest scale the column of each cell of the canvas; elsewhere what the tile sees of the coarser one.
private struct PlaceDenoiser: Denoiser {
    var traits: ModelTraits {
        var traits = FakeDenoiser().traits
        traits.scales.append(.init(reduction: 8, steps: 1, guidance: 1, start: 1, shift: 1))
        traits.summary = nil
        return traits
    }

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        prompts.map { _ in Tensor(shape: [1]) }
    }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        Modules()
    }

    struct Modules: ModulePool {
        var concurrency: Int { 1 }

        func publish(_ input: TileInput) async throws -> TilePublication {
            TilePublication(tokens: Tensor(shape: [1, 2]), networkSeconds: 0)
        }

        func predict(_ input: TileInput) async throws -> TilePrediction {
            let (width, left) = (input.noisy.width, input.window.x)
            var clean = Tensor(shape: input.noisy.shape)
            let coarse = input.coarse
            for index in clean.elements.indices {
                let (plane, row, column) = (
                    index / width / input.noisy.height, index / width % input.noisy.height, index % width
                )
                clean[plane, row, column] = coarse.map { $0[plane, row / 4, column / 4] } ?? Float(left + column)
            }
            return TilePrediction(clean: clean, publication: Tensor(shape: [1, 2]), networkSeconds: 0)
        }
    }
}
