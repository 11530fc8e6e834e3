import ChoirGraph
import ChoirModels
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

/// One of the networks that `Scripts/fixtures/unet.py` made, with inputs and what diffusers gives for them.
struct UNetFixture {
    let directory: String
    let configuration: UNetConfiguration
    let cases: SafetensorsFile

    init(_ kind: String) throws {
        directory = try #require(Bundle.module.resourcePath) + "/Fixtures/UNet/\(kind)"
        configuration = try UNetConfiguration(ConfigurationFields(path: directory + "/config.json"))
        cases = try SafetensorsFile(path: directory + "/cases.safetensors")
    }

    func weights() throws -> WeightStore {
        try WeightStore(files: CheckpointFiles.weights(in: directory, stem: "diffusion_pytorch_model"))
    }

    func value(_ name: String) throws -> Tensor { try cases.floats(name) }

    /// The inputs of the graph for one case.
    func inputs(_ index: String) throws -> [String: Tensor] {
        var inputs = [
            "sample": try value("\(index).sample"), "text": try value("\(index).text"),
            "time": configuration.timeFeatures(step: Double(try value("\(index).step").elements[0])),
        ]
        if configuration.addition != nil {
            let sizes = try value("\(index).sizes").elements.map(Double.init)
            let pooled = try value("\(index).pooled").elements
            inputs["addition"] = configuration.additionFeatures(pooledText: pooled, timeIDs: sizes)
        }
        if configuration.guidanceWidth != nil {
            let scale = try value("\(index).guidance").elements[0]
            inputs["guidance"] = configuration.guidanceFeatures(scale: Double(scale))
        }
        return inputs
    }

    /// Runs the graph in f32.
    func run(
        _ inputs: [String: Tensor], bridge: UNetBridge? = nil, weights: WeightStore? = nil
    ) async throws -> [String: Tensor] {
        let weights = try weights ?? self.weights()
        let (sample, text) = (try #require(inputs["sample"]), try #require(inputs["text"]))
        let graph = try UNetGraph.build(
            configuration, weights: weights, height: sample.shape[2], width: sample.shape[3],
            textTokens: text.shape[1], bridge: bridge)
        #expect(Set(graph.inputs.map(\.name)) == Set(inputs.keys))
        let reader = try UNetGraph.buildText(configuration, weights: weights, textTokens: text.shape[1])
        var inputs = inputs
        inputs["text"] = try await outputs(of: reader, ["encoded": text])["text"]
        return try await outputs(of: graph, inputs)
    }

    private func outputs(of graph: Graph, _ inputs: [String: Tensor]) async throws -> [String: Tensor] {
        let options = CompileOptions(precision: .f32, cacheDirectory: nil)
        let request = try await sharedRuntime.get().compile(graph, options: options).makeRequest()
        for (name, value) in inputs { try request.setInput(name, value) }
        try await request.run()
        var outputs: [String: Tensor] = [:]
        for port in graph.outputs { outputs[port.name] = try request.output(port.name) }
        return outputs
    }
}

/// The engine, started once for all tests.
let sharedRuntime = Result { try OpenVINORuntime() }

/// The largest distance of two elements, relative to the largest expected one; infinite when the shapes differ.
func relativeDistance(_ found: Tensor?, _ expected: Tensor) -> Float {
    guard let found, found.shape == expected.shape else { return .infinity }
    var (distance, largest): (Float, Float) = (0, 0)
    for (a, b) in zip(found.elements, expected.elements) {
        guard a.isFinite else { return .infinity }
        distance = max(distance, abs(a - b))
        largest = max(largest, abs(b))
    }
    return distance / largest
}
