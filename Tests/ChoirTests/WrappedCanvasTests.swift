import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

/// Predicts the mean of the cells around each one, as far as its window reaches: smooth inside of a window, and blind
/// beyond its ends.
let smoothingDenoiser = FunctionDenoiser { input in
    let (noisy, reach) = (input.noisy, 5)
    let (height, width) = (noisy.height, noisy.width)
    var clean = Tensor(shape: noisy.shape)
    noisy.withSpan { noisy in
        clean.withMutableSpan { clean in
            for index in clean.indices {
                let (row, column) = (index / width % height, index % width)
                var sum: Float = 0
                let columns = max(0, column - reach)...min(width - 1, column + reach)
                for other in columns { sum += noisy[unchecked: index + other - column] }
                let rows = max(0, row - reach)...min(height - 1, row + reach)
                for other in rows { sum += noisy[unchecked: index + (other - row) * width] }
                clean[unchecked: index] = 3 * sum / Float(columns.count + rows.count)
            }
        }
    }
    return clean
}

@Suite struct WrappedCanvasTests {
    /// The mean step from one cell to the next in a direction: across the edge, across the worst line inside and across
    /// all of them.
    private func steps(_ canvas: Tensor, _ axis: CanvasAxis) -> (edge: Double, worst: Double, mean: Double) {
        let (height, width) = (canvas.height, canvas.width)
        let length = axis == .x ? width : height
        // Element 0 is the line between the last and the first row or column.
        var lines = [Double](repeating: 0, count: length)
        for channel in 0..<3 {
            for y in 0..<height {
                for x in 0..<width {
                    let before = axis == .x ? (y, (x + width - 1) % width) : ((y + height - 1) % height, x)
                    let here = canvas.elements[(channel * height + y) * width + x]
                    let step = abs(here - canvas.elements[(channel * height + before.0) * width + before.1])
                    lines[axis == .x ? x : y] += Double(step)
                }
            }
        }
        let inside = lines.dropFirst()
        return (lines[0], inside.max() ?? 0, inside.reduce(0, +) / Double(length - 1))
    }

    private func painted(_ bridge: BridgeKind, _ tileable: WrappedAxes?, coarse: Bool) async throws -> Tensor {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 112, height: 112))
        request.bridges = coarse ? [bridge, .coarse] : [bridge]
        request.tileable = tileable
        request.steps = 6
        let pipeline = try ParallelDiffusionPipeline(denoiser: smoothingDenoiser, modules: 2)
        for try await event in pipeline.paint(request) {
            if case .finished(let painting) = event { return painting.canvas }
        }
        throw CancellationError()
    }

    @Test(arguments: [BridgeKind.consensus, .shift, .halo], [false, true])
    func `opposite edges of a canvas that wraps meet as its inside does`(bridge: BridgeKind, coarse: Bool) async throws
    {
        for tileable in [nil] + WrappedAxes.allCases {
            let canvas = try await painted(bridge, tileable, coarse: coarse)
            #expect(canvas.width == 112 && canvas.height == 112)
            for axis in CanvasAxis.allCases {
                let (edge, worst, mean) = steps(canvas, axis)
                if tileable?.contains(axis) ?? false {
                    // No worse than any border between two tiles.
                    #expect(edge < 1.2 * worst, "\(tileable as Any) \(axis)")
                } else {
                    #expect(edge > 2.5 * mean, "\(tileable as Any) \(axis)")
                }
            }
        }
    }

    @Test func `a single window on a ring meets itself`() {
        let axis = TileAxis(length: 65, window: 512, overlap: 64, alignment: 16, wraps: true)
        #expect(axis.window == 144 && axis.starts == [0] && axis.cores[0].count == 65)
        let plan = TilePlan(columns: axis, rows: TileAxis(length: 16, window: 16, overlap: 0, alignment: 16))
        #expect(plan[0].window.contains(plan[0].core))
    }

    @Test func `what is upscaled under a canvas that wraps goes round as well`() async throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 80, height: 304))
        request.seed = 7
        request.tileable = .xy
        let traits = FakeDenoiser().traits
        let stages = try PaintPlan(request: request, traits: traits, modules: 1).stages
        let stage = try #require(stages.last)
        let coarser = CounterNoise(seed: 3).normal(
            region: Region(x: 0, y: 0, width: 20, height: 76), channels: 3, draw: 0)
        let canvas = try await StartingCanvas(
            stage: stage, noise: CanvasNoise(request, pictureWidth: 80, pictureHeight: 304), traits: traits,
            coarser: .init(canvas: coarser, stage: stages[0])
        ).make()
        let whole = Region(x: 0, y: 0, width: 80, height: 304)
        let level = stage.schedule.levels[0]
        var expected = CounterNoise(seed: 7).normal(region: whole, channels: 3, draw: 0).scaled(by: Float(level.sigma))
        expected.add(coarser.upsampledBilinear(by: 4, wrapX: true, wrapY: true), scaledBy: Float(level.alpha))
        let difference = zip(canvas.elements, expected.elements).map { abs($0 - $1) }.max() ?? 1
        #expect(canvas.shape == expected.shape)
        #expect(difference < 1e-6)
    }
}

@Suite struct WrappedLatentTests {
    @Test func `what is enlarged under latents that wrap goes round, by any factor`() {
        let ring = CounterNoise(seed: 3).normal(region: Region(x: 0, y: 0, width: 20, height: 12), channels: 1, draw: 0)
        let twice = ring.copy(region: Region(x: -20, y: -12, width: 60, height: 36), border: .wrap(x: true, y: true))
        let whole = Region(x: 0, y: 0, width: 32, height: 24)
        let wrapped = ring.resizedBicubic(region: whole, stepX: 20.0 / 32, stepY: 0.5, wrapX: true, wrapY: true)
        let middle = Region(x: 32, y: 24, width: 32, height: 24)
        #expect(distance(wrapped, twice.resizedBicubic(region: middle, stepX: 20.0 / 32, stepY: 0.5)) < 1e-5)
    }

    @Test func `a picture of latents that wrap is decoded with what lies beyond its edges`() async throws {
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 512, height: 256))
        request.tileable = .xy
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 2)
        var painting: Painting?
        for try await event in pipeline.paint(request) {
            if case .finished(let finished) = event { painting = finished }
        }
        let finished = try #require(painting)
        #expect(finished.canvas.width == 512 / 8 && finished.canvas.height == 256 / 8)
        var picture = Tensor(shape: [3, 256, 512])
        var rows = 0
        try await finished.strips { strip in
            #expect(strip.width == 512)
            picture.write(strip, x: 0, y: rows)
            rows += strip.height
        }
        #expect(rows == 256)
        // The codec paints each cell as a square: none is out of its place.
        let cells = picture.averagePooled(by: 8)
        let colours = Tensor(shape: cells.shape, elements: Array(finished.canvas.elements.prefix(cells.elements.count)))
        #expect(distance(cells, colours) < 1e-5)
        request.size.width = 510
        #expect(throws: RequestError.self) { try pipeline.plan(request) }
    }
}
