import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

@Suite struct StartingCanvasTests {
    @Test func `a canvas made in bands is noise over the upscaled picture, cell by cell`() async throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 80, height: 300))
        request.seed = 7
        let traits = FakeDenoiser().traits
        let stages = try PaintPlan(request: request, traits: traits, modules: 1).stages
        let stage = try #require(stages.last)
        let coarser = CounterNoise(seed: 3).normal(
            region: Region(x: 0, y: 0, width: 32, height: 80), channels: 3, draw: 0)
        let canvas = try await StartingCanvas(
            stage: stage, noise: CanvasNoise(request, pictureWidth: 80, pictureHeight: 300), traits: traits,
            coarser: .init(canvas: coarser, stage: stages[0])
        ).make()

        let whole = Region(x: 0, y: 0, width: 80, height: 304)
        let level = stage.schedule.levels[0]
        var expected = CounterNoise(seed: 7).normal(region: whole, channels: 3, draw: 0).scaled(by: Float(level.sigma))
        expected.add(coarser.upsampledBilinear(by: 4).copy(region: whole), scaledBy: Float(level.alpha))
        let difference = zip(canvas.elements, expected.elements).map { abs($0 - $1) }.max() ?? 1
        #expect(canvas.shape == expected.shape)
        #expect(difference < 1e-6)
    }

    @Test func `a latent canvas is noise over the enlarged picture, whatever the factor`() async throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 500, height: 1500))
        request.seed = 7
        let traits = FakeLatentDenoiser().traits
        let stages = try PaintPlan(request: request, traits: traits, modules: 1).stages
        for (before, stage) in zip(stages, stages.dropFirst()) {
            let small = Region(x: 0, y: 0, width: before.tiles.columns.length, height: before.tiles.rows.length)
            let coarser = CounterNoise(seed: 3).normal(region: small, channels: 4, draw: 0)
            let canvas = try await StartingCanvas(
                stage: stage, noise: CanvasNoise(request, pictureWidth: 63, pictureHeight: 188), traits: traits,
                coarser: .init(canvas: coarser, stage: before)
            ).make()
            let whole = Region(x: 0, y: 0, width: stage.tiles.columns.length, height: stage.tiles.rows.length)
            var expected = CounterNoise(seed: 7).normal(region: whole, channels: 4, draw: stage.rung).scaled(by: 0.6)
            let enlarged = coarser.resizedBicubic(
                region: whole, stepX: Double(before.contentWidth) / Double(stage.contentWidth),
                stepY: Double(before.contentHeight) / Double(stage.contentHeight))
            expected.add(enlarged, scaledBy: 0.4)
            #expect(distance(canvas, expected) < 1e-5)
        }
        #expect(stages.count == 4 && (stages.last?.tiles.rows.length ?? 0) > 128)
    }
}
