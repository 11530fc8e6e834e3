import Choir
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import ChoirEngine

/// Against MultiDiffusion as diffusers has it: `StableDiffusionPanoramaPipeline`.
@Suite struct PanoramaTests {
    /// MultiDiffusion averages what DDIM makes of each view. Without fresh noise DDIM is linear, so that is DDIM of the
    /// averaged predictions, which is what we compute.
    @Test func `consensus with uniform weights and a stride is MultiDiffusion`() async throws {
        let fixture = try PipelineFixture("sd1")
        let side = 4
        let file = try SafetensorsFile(path: fixture.panorama)
        let expected = try file.floats("latents").reshaped(to: [4, 24, 32])
        var request = PaintRequest(
            prompt: PipelineFixture.prompt, size: PixelSize(width: 32 * side, height: 24 * side))
        request.negativePrompt = PipelineFixture.negative
        request.noise = fixture.panorama
        (request.steps, request.sampler, request.guidance) = (10, .ddim, 7.5)
        (request.bridges, request.weights) = ([.consensus], .uniform)
        // Windows of 16 cells at every fourth cell: 5 x 3 views.
        (request.tile, request.overlap) = (16 * side, 12 * side)

        let pipeline = try await fixture.pipeline()
        let plan = try pipeline.plan(request)
        #expect(plan.finest.tiles.columns.starts == [0, 4, 8, 12, 16] && plan.finest.tiles.rows.starts == [0, 4, 8])
        #expect(plan.evaluations == 10 * 15 * 2)
        let latents = try await pipeline.latents(request)
        #expect(latents.largestDifference(from: expected) <= 1e-3)

        // With other weights it is something else.
        request.weights = .hann
        let others = try await pipeline.latents(request)
        #expect(others.largestDifference(from: expected) > 1e-2)
    }
}

extension ParallelDiffusionPipeline {
    /// The final canvas.
    fileprivate func latents(_ request: PaintRequest) async throws -> Tensor {
        for try await event in paint(request) {
            if case .finished(let painting) = event { return painting.canvas }
        }
        throw CancellationError()
    }
}

extension Tensor {
    /// Infinite if the shapes differ.
    fileprivate func largestDifference(from other: Tensor) -> Float {
        guard shape == other.shape else { return .infinity }
        return zip(elements, other.elements).map { abs($0 - $1) }.max() ?? .infinity
    }
}
