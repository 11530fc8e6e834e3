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
