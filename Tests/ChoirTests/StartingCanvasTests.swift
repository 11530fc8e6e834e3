import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

@Suite struct StartingCanvasTests {
    @Test func `a canvas made in bands is noise over the upscaled picture, cell by cell`() async throws {
        var request = PaintRequest(prompt: "", size: PixelSize(width: 80, height: 300))
        request.seed = 7
        let traits = FakeDenoiser().traits
        let stage = try #require(PaintPlan(request: request, traits: traits, modules: 1).stages.last)
        let coarser = CounterNoise(seed: 3).normal(
            region: Region(x: 0, y: 0, width: 32, height: 80), channels: 3, draw: 0)
        let canvas = try await StartingCanvas(
            stage: stage, noise: CanvasNoise(request, pictureWidth: 80, pictureHeight: 300), channels: 3,
            coarser: coarser,
            scaleFactor: 4
        ).make()

        let whole = Region(x: 0, y: 0, width: 80, height: 304)
        let level = stage.schedule.levels[0]
        var expected = CounterNoise(seed: 7).normal(region: whole, channels: 3, draw: 0).scaled(by: Float(level.sigma))
        expected.add(coarser.upsampledBilinear(by: 4).copy(region: whole), scaledBy: Float(level.alpha))
        let difference = zip(canvas.elements, expected.elements).map { abs($0 - $1) }.max() ?? 1
        #expect(canvas.shape == expected.shape)
        #expect(difference < 1e-6)
    }
}
