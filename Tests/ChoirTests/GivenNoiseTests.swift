import Choir
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@Suite struct GivenNoiseTests {
    let scratch = Scratch()

    init() throws {
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
    }

    func file(_ tensor: Tensor, name: String = "noise") throws -> String {
        let path = scratch.path + "/noise-\(UUID().uuidString).safetensors"
        try SafetensorsWriter.write(tensors: [name: .float32(tensor)], to: path)
        return path
    }

    /// The seed's own noise of a painting's first canvas.
    func noise(of plan: PaintPlan, channels: Int, seed: UInt64) -> Tensor {
        let tiles = plan.stages[0].tiles
        let region = Region(x: 0, y: 0, width: tiles.columns.length, height: tiles.rows.length)
        return CounterNoise(seed: seed).normal(region: region, channels: channels, draw: plan.stages[0].rung)
    }

    static let models: [any Denoiser] = [FakeDenoiser(), FakeLatentDenoiser()]

    @Test(arguments: 0..<2)
    func `given the noise of a seed, the painting is that of the seed`(model: Int) async throws {
        let denoiser = Self.models[model]
        var request = LatentTests.request()
        request.seed = 9
        request.bridges = [.consensus]
        let expected = try #require(try await painting(request, by: denoiser))
        let noise = noise(of: expected.plan, channels: denoiser.traits.channels, seed: 9)
        request.seed = 10
        let other = try #require(try await painting(request, by: denoiser))
        for shape in [noise.shape, Shape([1] + noise.shape.dimensions)] {
            request.noise = try file(noise.reshaped(to: shape))
            let painted = try #require(try await painting(request, by: denoiser))
            let (same, different) = (painted.canvas == expected.canvas, painted.canvas != other.canvas)
            #expect(same && different)
        }
    }

    @Test func `a run that was ended before its first state keeps the noise it was given`() async throws {
        struct Killed: Error {}
        var request = LatentTests.request()
        let plan = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 1).plan(request)
        let path = try file(noise(of: plan, channels: 4, seed: 77))
        request.noise = path
        let expected = try #require(try await painting(request)).canvas
        for evaluations in [1, 4, 20] {
            let run = RunDirectory(path: scratch.path + "/run-\(evaluations)")
            let counter = RunTests.Counter()
            var mortal = FakeLatentDenoiser()
            mortal.observe = { _ in if await counter.next() >= evaluations { throw Killed() } }
            await #expect(throws: Killed.self) { _ = try await painting(request, by: mortal, run: run) }
            if evaluations == 1 { try FileManager.default.removeItem(atPath: run.path + "/state.safetensors") }
            if evaluations == 20 { try FileManager.default.removeItem(atPath: path) }
            let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 3)
            var resumed: Tensor?
            for try await event in pipeline.resume(run) {
                if case .finished(let painting) = event { resumed = painting.canvas }
            }
            let same = resumed == expected
            #expect(same)
        }
    }

    @Test(arguments: [0.0, 1], [3, 9, 20, 33])
    func `a painting with noise in every step resumes to the same bits`(eta: Double, evaluations: Int) async throws {
        struct Killed: Error {}
        var request = LatentTests.request()
        request.eta = eta
        let expected = try #require(try await painting(request)).canvas
        let run = RunDirectory(path: scratch.path + "/run")
        let counter = RunTests.Counter()
        var mortal = FakeLatentDenoiser()
        mortal.observe = { _ in if await counter.next() >= evaluations { throw Killed() } }
        await #expect(throws: Killed.self) { _ = try await painting(request, by: mortal, run: run) }
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeLatentDenoiser(), modules: 3)
        var resumed: Tensor?
        for try await event in pipeline.resume(run) {
            if case .finished(let painting) = event { resumed = painting.canvas }
        }
        let same = resumed == expected
        #expect(same)
    }

    @Test func `noise that does not fit is refused in one sentence, before anything is made`() async throws {
        var request = LatentTests.request(width: 128, height: 128)
        let run = RunDirectory(path: scratch.path + "/never")
        for tensor in [Tensor(shape: [1, 4, 16, 15]), Tensor(shape: [2, 4, 16, 16]), Tensor(shape: [3, 16, 16])] {
            request.noise = try file(tensor)
            do {
                _ = try await painting(request, run: run)
                Issue.record("painted from \(tensor.shape)")
            } catch let error as RequestError {
                #expect(error.description.hasPrefix("noise: found "))
                #expect(error.message.hasSuffix("shape \(tensor.shape), expected [1, 4, 16, 16]"))
            }
        }
        request.noise = try file(Tensor(shape: [1, 4, 16, 16], repeating: .nan))
        await #expect(throws: RequestError.self) { _ = try await painting(request, run: run) }
        request.noise = try file(Tensor(shape: [1, 4, 16, 16]), name: "latents")
        await #expect(throws: SafetensorsError.self) { _ = try await painting(request, run: run) }
        request.noise = scratch.path + "/nothing"
        await #expect(throws: SafetensorsError.self) { _ = try await painting(request, run: run) }
        #expect(!FileManager.default.fileExists(atPath: run.path))
    }
}
