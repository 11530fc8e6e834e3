import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

/// Scales that do not all lie as far apart as tiles see: an eighth below a quarter, which sees a sixteenth.
@Suite struct ScaleTests {
    private static var denoiser: FakeDenoiser {
        var denoiser = FakeDenoiser()
        denoiser.traits.scales.append(
            .init(reduction: 8, start: 1, refining: .init(steps: 2, guidance: 2, sampler: .euler)))
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

    @Test func `what tiles see is the mean of the coarser cells that lie there`() async throws {
        // At the coarsest scale the column of each cell of the canvas; elsewhere what the tile sees of the coarser one.
        var denoiser = FunctionDenoiser { input in
            var clean = Tensor(shape: input.noisy.shape)
            for row in 0..<clean.height {
                for column in 0..<clean.width {
                    for plane in 0..<3 {
                        let below = input.coarse?[plane, row / 4, column / 4]
                        clean[plane, row, column] = below ?? Float(input.window.x + column)
                    }
                }
            }
            return clean
        }
        denoiser.traits = Self.denoiser.traits
        denoiser.traits.summary = nil
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 256))
        request.bridges = [.consensus, .coarse]
        let canvas = try #require(try await canvas(request, by: denoiser))
        // Columns of the eighth are 0 ... 31; a cell of the sixteenth is the mean of two, and covers 16 of the full size.
        for x in stride(from: 0, to: 256, by: 16) {
            #expect(abs(canvas[0, 100, x + 8] - Float(x / 16 * 2) - 0.5) < 1e-4)
        }
    }

    @Test(arguments: [1, 3, 6, 20])
    func `a painting on such scales is cut off and continues to the same bits`(predictions: Int) async throws {
        let request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 200))
        let whole = try await canvas(request, by: Self.denoiser)
        let (runs, scratch) = (RunTests(), Scratch())
        try await runs.paint(request, by: Self.denoiser, in: scratch.run, predictions: predictions)
        let same = try await runs.resumed(scratch.run, by: Self.denoiser) == whole
        #expect(same)
    }

    @Test func `a scale composes with other settings than it refines with`() throws {
        var traits = Self.denoiser.traits
        traits.scales[0].composing = .init(steps: 12, guidance: 4, sampler: .euler)
        traits.scales[2].composing = .init(steps: 6, guidance: 4, sampler: .eulerAncestral)
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 256, height: 200))
        let stages = try PaintPlan(request: request, traits: traits, modules: 1).stages
        #expect(stages.map(\.sampler) == [.eulerAncestral, .euler, .euler])
        #expect(stages.map(\.schedule.steps) == [6, 4, 3] && stages.map(\.guidanceScale) == [4, 2, 1])
        request.bridges = [.consensus]
        let alone = try PaintPlan(request: request, traits: traits, modules: 1).stages
        #expect(alone.map(\.sampler) == [.euler] && alone[0].schedule.steps == 12 && alone[0].guidanceScale == 4)
        (request.sampler, request.steps, request.guidance) = (.dpmpp2m, 6, 2.5)
        let asked = try PaintPlan(request: request, traits: traits, modules: 1).finest
        #expect(asked.sampler == .dpmpp2m && asked.schedule.steps == 6 && asked.guidanceScale == 2.5)
        request.bridges = [.consensus, .coarse]
        let all = try PaintPlan(request: request, traits: traits, modules: 1).stages
        #expect(all.map(\.schedule.steps) == [12, 8, 6] && all.map(\.guidanceScale) == [2.5, 1.5, 1])
    }

    @Test func `a large canvas of the coarsest scale is composed on a smaller one of the same scale`() async throws {
        let seen = Seen()
        var denoiser = Self.denoiser
        denoiser.traits.composedSide = 8
        denoiser.traits.scales[2].composing = .init(steps: 6, guidance: 4, sampler: .euler)
        denoiser.disturb = { await seen.add($0) }
        let size = { PixelSize(width: $0, height: $0 / 2) }
        let plan = { (width: Int) in
            try PaintPlan(request: PaintRequest(prompt: "a", size: size(width)), traits: denoiser.traits, modules: 1)
        }
        #expect(try plan(504).stages.map(\.contentWidth) == [63, 126, 504])
        #expect(try plan(2048).stages.map(\.contentWidth) == [16, 64, 256, 512, 2048])
        let stages = try plan(512).stages
        #expect(stages.map { [$0.contentWidth, $0.contentHeight] } == [[16, 8], [64, 32], [128, 64], [512, 256]])
        #expect(stages.map(\.scale) == [2, 2, 1, 0])
        #expect(stages.map(\.pooling) == [1, 2, 1, 1] && stages.map(\.refines) == [false, true, true, true])
        #expect(stages.map(\.schedule.steps) == [6, 2, 4, 3])
        _ = try await canvas(PaintRequest(prompt: "a", size: size(512)), by: denoiser)
        #expect(await seen.shapes[2] == [nil, [3, 8, 16]])

        var request = PaintRequest(prompt: "a", size: PixelSize(width: 528, height: 528))
        request.tileable = .xy
        #expect(throws: RequestError.self) { try PaintPlan(request: request, traits: denoiser.traits, modules: 1) }
        request.size = PixelSize(width: 544, height: 544)
        let ring = try PaintPlan(request: request, traits: denoiser.traits, modules: 1)
        #expect(ring.stages.map(\.tiles.columns.length) == [17, 68, 136, 544])

        let image = TileImage(name: "a", prompt: "", seed: 1, sides: TileImage.sides(joining: .xy))
        let set = try TileSetPlan(
            request: TileSetRequest(images: [image], size: PixelSize(width: 544, height: 544)), traits: denoiser.traits)
        #expect(set.stages.map(\.frame.picture.width) == [17, 68, 136, 544])
        #expect(set.stages.map(\.schedule.steps) == [6, 2, 4, 3])
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
