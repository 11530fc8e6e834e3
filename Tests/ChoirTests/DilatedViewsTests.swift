import ChoirTensor
import Testing

@testable import Choir

@Suite struct DilatedViewsTests {
    private func plan(wraps: Bool) -> TilePlan {
        let axis = { TileAxis(length: $0, window: 16, overlap: 4, alignment: 2, wraps: wraps) }
        return TilePlan(columns: axis(44), rows: axis(30))
    }

    @Test(arguments: [false, true])
    func `views have the shape of a tile and hold every cell once`(wraps: Bool) throws {
        let plan = plan(wraps: wraps)
        let views = try #require(DilatedViews(plan, start: 1))
        #expect(views.dilation == 3 && views.count == 9)
        let whole = Region(x: 0, y: 0, width: 44, height: 30)
        let canvas = CounterNoise(seed: 1).normal(region: whole, channels: 2, draw: 0)
        var copy = Tensor(shape: canvas.shape)
        for index in 0..<views.count {
            let view = views.view(index, of: canvas)
            #expect(view.shape == [2, 16, 16])
            #expect(view[1, 2, 3] == canvas[1, index / 3 + 6, index % 3 + 9])
            views.write(view, index, to: &copy)
        }
        let same = copy == canvas
        #expect(same)
        // 15 columns from the first on; then back from the last, or around.
        #expect(views.view(0, of: canvas)[0, 0, 15] == (wraps ? canvas[0, 0, 1] : canvas[0, 0, 39]))
    }

    @Test func `a canvas that one tile sees needs none`() {
        let axis = TileAxis(length: 16, window: 16, overlap: 0, alignment: 2)
        #expect(DilatedViews(TilePlan(columns: axis, rows: axis), start: 1) == nil)
    }

    @Test func `blurring keeps mean and deviation, smooths, and ends with the steps`() throws {
        let views = try #require(DilatedViews(plan(wraps: true), start: 1))
        #expect(abs(views.share(done: 0) - 1) < 1e-12 && views.share(done: 0.999) < 1e-5)
        let whole = Region(x: 0, y: 0, width: 44, height: 30)
        let canvas = CounterNoise(seed: 1).normal(region: whole, channels: 2, draw: 0)
        let blurred = views.blurred(canvas, share: 1)
        let mean = { (field: Tensor) in field.elements.reduce(0, +) / Float(field.elements.count) }
        let square = { (field: Tensor) in field.elements.reduce(0) { $0 + $1 * $1 } / Float(field.elements.count) }
        #expect(abs(mean(blurred) - mean(canvas)) < 1e-4 && abs(square(blurred) - square(canvas)) < 1e-3)
        let roughness = { (field: Tensor) in
            zip(field.elements, field.elements.dropFirst()).reduce(0) { $0 + abs($1.0 - $1.1) }
        }
        #expect(roughness(blurred) < 0.6 * roughness(canvas))
        #expect(distance(views.blurred(canvas, share: 0), canvas) < 1e-4)
    }

    @Test(arguments: [BridgeKind.consensus, .none, .shift, .halo], [nil, WrappedAxes.xy])
    func `they change the picture, cost what the plan says and leave no bit to chance`(
        bridge: BridgeKind, tileable: WrappedAxes?
    ) async throws {
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 320, height: 256))
        request.bridges = [bridge, .coarse]
        request.tileable = tileable
        request.steps = 2
        let without = try #require(try await painting(request))
        request.bridges.append(.dilated)
        let alone = try #require(try await painting(request, modules: 1))
        let together = try #require(try await painting(request, modules: 5))
        #expect(distance(alone.canvas, together.canvas) == 0)
        #expect(distance(alone.canvas, without.canvas) > 1e-3)
        let finest = alone.plan.finest
        #expect(finest.evaluationCounts[0] == 2 * (finest.tiles.count + (finest.views?.count ?? 0)))
        #expect(alone.plan.evaluations > without.plan.evaluations)
    }

    @Test func `they are refused without coarse stages, and where tiles see the coarser picture`() throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 512, height: 512))
        request.bridges = [.consensus, .dilated]
        #expect(throws: RequestError.self) { try request.validate() }
        request.bridges.append(.coarse)
        #expect(throws: RequestError.self) {
            try PaintPlan(request: request, traits: FakeDenoiser().traits, modules: 1)
        }
        #expect(throws: Never.self) {
            try PaintPlan(request: request, traits: FakeLatentDenoiser().traits, modules: 1)
        }
    }
}
