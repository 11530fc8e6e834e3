import Choir
import ChoirModels
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import ChoirEngine

/// SDXL base and its refiner, one after the other.
@Suite struct RefinerTests {
    private func request(width: Int = 32, height: Int = 24) -> PaintRequest {
        var request = PaintRequest(prompt: PipelineFixture.prompt, size: PixelSize(width: width, height: height))
        request.negativePrompt = PipelineFixture.negative
        (request.steps, request.guidance, request.handOver) = (5, 7.5, 0.4)
        return request
    }

    @Test(arguments: ["euler", "empty", "dpmpp2m"])
    func `a picture by base and refiner is that of diffusers`(run: String) async throws {
        let (base, refiner) = (try PipelineFixture("sdxl"), try PipelineFixture.refiner())
        var request = request()
        request.noise = refiner.runs
        request.sampler = run == "dpmpp2m" ? .dpmpp2m : .euler
        if run == "empty" { request.negativePrompt = "" }
        let pipeline = try await base.pipeline(refiner: refiner)
        #expect(try pipeline.plan(request).stages.map(\.schedule.steps) == [2, 3])
        let picture = try await pipeline.picture(request)
        let expected = try SafetensorsFile(path: refiner.runs).floats(run).reshaped(to: picture.shape)
        #expect(pixelDifference(picture, expected) <= 1 / 255)
    }

    @Test func `a large picture is handed over at every size, whatever the modules`() async throws {
        let (base, refiner) = (try PipelineFixture("sdxl"), try PipelineFixture.refiner())
        var request = request(width: 96, height: 64)
        (request.steps, request.handOver) = (10, 0.6)
        let pipeline = try await base.pipeline(modules: 1, refiner: refiner)
        let plan = try pipeline.plan(request)
        #expect(plan.stages.map(\.belongsToRefiner).filter { $0 }.count == Set(plan.stages.map(\.rung)).count)
        #expect(plan.handOver?.share == 0.6 && plan.finest.stepsAtSize > plan.finest.schedule.steps)
        let alone = try await pipeline.picture(request)
        let together = try await base.pipeline(modules: 4, refiner: refiner).picture(request)
        let same = alone == together
        #expect(same && alone.elements.allSatisfy(\.isFinite))
        let unrefined = try await base.pipeline().picture(unhanded(request))
        #expect(unrefined != alone)
    }

    private func unhanded(_ request: PaintRequest) -> PaintRequest {
        var request = request
        request.handOver = nil
        return request
    }

    @Test func `a refiner that cannot take over is refused`() async throws {
        let (sd1, sdxl) = (try PipelineFixture("sd1"), try PipelineFixture("sdxl"))
        let refiner = try PipelineFixture.refiner()
        for (base, second, path, part) in [
            (sd1, refiner, sd1.folder, "expected SDXL base"), (sdxl, sd1, sd1.folder, "expected SDXL's refiner"),
            (sdxl, sdxl, sdxl.folder, "expected SDXL's refiner"),
        ] {
            let error = await #expect(throws: ModelError.self) { _ = try await base.pipeline(refiner: second) }
            #expect(error?.path == path && error?.message.contains(part) == true, "\(error?.description ?? "")")
        }
        try refiner.remove("text_encoder_2")
        let error = await #expect(throws: ModelError.self) { _ = try await sdxl.pipeline(refiner: refiner) }
        #expect(error?.path == refiner.folder && error?.message.contains("text_encoder_2") == true)
        await #expect(throws: RequestError.self) {
            _ = try await ParallelDiffusionPipeline(model: .cosmos, refiner: refiner.folder)
        }
    }
}
