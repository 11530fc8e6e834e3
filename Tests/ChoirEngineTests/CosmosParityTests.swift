import Choir
import ChoirEngine
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@Suite struct CosmosParityTests {
    /// Predictions of PyTorch with the embedded weights: see `Scripts/fixtures/cosmos.py`.
    private func fixture() throws -> SafetensorsFile {
        let path = try #require(
            Bundle.module.path(forResource: "cosmos", ofType: "safetensors", inDirectory: "Fixtures"))
        return try SafetensorsFile(path: path)
    }

    private func denoiser() throws -> CosmosDenoiser {
        var options = EngineOptions()
        options.precision = .f32
        return try CosmosDenoiser(directory: CosmosResources.directory, name: "cosmos", options: options)
    }

    private func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
        guard a.shape == b.shape else { return .infinity }
        return zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? 0
    }

    @Test(arguments: 0..<3) func `our graph predicts what PyTorch predicts`(index: Int) async throws {
        let file = try fixture()
        let optional = { (name: String) in
            file.tensors["\(index).\(name)"] == nil ? nil : try file.floats("\(index).\(name)")
        }
        let noisy = try file.floats("\(index).noisy")
        let context = try optional("context")
        let input = TileInput(
            noisy: noisy, coarse: try optional("coarse"),
            level: .flow(Double(try file.floats("\(index).time").elements[0])),
            scale: Int(try file.floats("\(index).scale").elements[0]), embedding: try file.floats("\(index).text"),
            context: context)
        let shape = TileShape(
            height: noisy.height, width: noisy.width, contextTokens: context?.height ?? 0, cellsPerToken: 32)
        let modules = try await denoiser().modules(for: shape, embedding: input.embedding.shape, count: 1)
        let prediction = try await modules.predict(input)
        #expect(largestDifference(prediction.clean, try file.floats("\(index).clean")) <= 1e-4)
        let publication = try #require(prediction.publication)
        #expect(largestDifference(publication, try file.floats("\(index).publication")) <= 1e-4)
        if context != nil {
            let published = try await modules.publish(input)
            #expect(largestDifference(published.tokens, publication) <= 1e-5)
        }
    }

    @Test func `the context changes the prediction, and so does every word`() async throws {
        let denoiser = try denoiser()
        let file = try fixture()
        let context = try file.floats("1.context")
        let noisy = try file.floats("1.noisy")
        let shape = TileShape(
            height: noisy.height, width: noisy.width, contextTokens: context.height, cellsPerToken: 32)
        let modules = try await denoiser.modules(
            for: shape, embedding: denoiser.embedding(of: "red nebula").shape, count: 2)
        func clean(_ prompt: String, _ context: Tensor) async throws -> Tensor {
            try await modules.predict(
                TileInput(
                    noisy: noisy, coarse: nil, level: .flow(0.7), scale: 1, embedding: denoiser.embedding(of: prompt),
                    context: context)
            ).clean
        }
        let base = try await clean("red nebula", context)
        #expect(try await largestDifference(clean("red nebula", context.scaled(by: -1)), base) > 1e-3)
        #expect(try await largestDifference(clean("blue nebula", context), base) > 1e-3)
        #expect(try await largestDifference(clean("red galaxy", context), base) > 1e-3)
        #expect(try await largestDifference(clean("red nebula", context), base) == 0)
    }
}
