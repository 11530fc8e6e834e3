import Choir
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

/// An empty directory that goes with its test.
final class Scratch {
    let path = NSTemporaryDirectory() + "choir-run-\(UUID().uuidString)"
    var run: RunDirectory { RunDirectory(path: path, notes: ["output": "x.png"]) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct RunTests {
    struct Killed: Error {}

    /// Paints until the given number of predictions, then fails as a killed process would.
    func paint(
        _ request: PaintRequest, by denoiser: FakeDenoiser = FakeDenoiser(), in run: RunDirectory, predictions: Int
    ) async throws {
        let counter = Counter()
        var mortal = denoiser
        mortal.disturb = { _ in if await counter.next() >= predictions { throw Killed() } }
        await #expect(throws: Killed.self) { _ = try await canvas(request, by: mortal, run: run) }
    }

    func resumed(_ run: RunDirectory, by denoiser: FakeDenoiser = FakeDenoiser()) async throws -> Tensor? {
        let pipeline = try ParallelDiffusionPipeline(denoiser: denoiser, modules: 3)
        for try await event in pipeline.resume(run) {
            if case .finished(let painting) = event { return painting.canvas }
        }
        return nil
    }

    actor Counter {
        private var count = 0
        func next() -> Int {
            count += 1
            return count
        }
    }

    @Test(arguments: [1, 2, 8, 9, 14, 21, 30, 43], [SamplerKind.euler, .dpmpp2m, .heun])
    func `a painting that was cut off continues to the same bits`(predictions: Int, sampler: SamplerKind) async throws {
        var request = PipelineTests.request()
        request.sampler = sampler
        let whole = try await canvas(request)
        let scratch = Scratch()
        try await paint(request, in: scratch.run, predictions: predictions)
        for _ in 0..<2 {
            // The second time the run is finished already, and gives its picture again.
            let same = try await resumed(scratch.run) == whole
            #expect(same)
        }
        #expect(try scratch.run.record().notes == ["output": "x.png"])
    }

    @Test func `a directory that holds something is not painted over`() async throws {
        let scratch = Scratch()
        _ = try await canvas(PipelineTests.request(), run: scratch.run)
        await #expect(throws: RunError.self) { _ = try await canvas(PipelineTests.request(), run: scratch.run) }
    }

    @Test func `no run, another model's run and a damaged request are refused`() async throws {
        let scratch = Scratch()
        await #expect(throws: RunError.self) { _ = try await resumed(scratch.run) }
        _ = try await canvas(PipelineTests.request(), run: scratch.run)
        var other = FakeDenoiser()
        other.traits.name = "other"
        let pipeline = try ParallelDiffusionPipeline(denoiser: other, modules: 1)
        await #expect(throws: RunError.self) { for try await _ in pipeline.resume(scratch.run) {} }
        try Data("{\"format\": 1".utf8).write(to: URL(fileURLWithPath: scratch.path + "/request.json"))
        await #expect(throws: RunError.self) { _ = try await resumed(scratch.run) }
    }

    @Test func `a damaged state is refused or harmless, never a crash`() async throws {
        let scratch = Scratch()
        try await paint(PipelineTests.request(), in: scratch.run, predictions: 40)
        let url = URL(fileURLWithPath: scratch.path + "/state.safetensors")
        let good = try Data(contentsOf: url)
        var random = SystemRandomNumberGenerator()
        for round in 0..<60 {
            var bad = good
            if round % 3 == 0 {
                bad = bad.prefix(Int.random(in: 0..<good.count, using: &random))
            } else {
                for _ in 0..<3 {
                    bad[Int.random(in: 0..<600, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            try bad.write(to: url)
            do {
                _ = try await resumed(scratch.run)
            } catch let error as RunError {
                #expect(error.path.hasPrefix(scratch.path))
            } catch let error as SafetensorsError {
                #expect(error.path == url.path)
            }
        }
    }
}
