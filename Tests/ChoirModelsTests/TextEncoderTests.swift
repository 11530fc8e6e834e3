import ChoirGraph
import ChoirModels
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

@Suite("CLIP text encoders against transformers and diffusers")
struct TextEncoderTests {
    @Test(
        "Fields out of range are refused by name",
        arguments: [
            ("hidden_size", JSONValue.integer(0)), ("num_attention_heads", .integer(3)), ("vocab_size", .number(1.5)),
            ("hidden_act", .string("relu")), ("num_hidden_layers", .integer(100_000)),
            ("layer_norm_eps", .number(-1)), ("eos_token_id", .integer(-1)), ("projection_dim", .string("x")),
            ("max_position_embeddings", .integer(1 << 40)), ("intermediate_size", .integer(0)),
        ]
    )
    func refusals(field: String, value: JSONValue) {
        let error = #expect(throws: ModelError.self) {
            try TextFixture.configuration("vit-l", replacing: [field: value])
        }
        #expect(error?.description.contains(field) == true, "\(error?.description ?? "")")
    }

    @Test("The end of a text is its first end token, or the highest id for old files")
    func endPosition() throws {
        let (old, new) = (try TextFixture.configuration("vit-l"), try TextFixture.configuration("bigg"))
        #expect(old.endToken == nil && new.endToken == 663)
        #expect(old.endPosition(in: [662, 5, 663, 663]) == 2)
        #expect(old.endPosition(in: [662, 700, 663, 0]) == 1)
        #expect(new.endPosition(in: [662, 700, 663, 0]) == 2)
        #expect(new.endPosition(in: [662, 5]) == 0)
    }

    @Test("Every hidden state and the pooled output are those of transformers", arguments: ["vit-l", "vit-h", "bigg"])
    func parity(name: String) async throws {
        let configuration = try TextFixture.configuration(name)
        let file = try SafetensorsFile(path: TextFixture.path("encoders.safetensors"))
        let ids = try file.integers("\(name).ids").map(Int.init)
        for layer in 1...configuration.layers {
            for isNormalized in [false, true] where !isNormalized || layer == configuration.layers {
                let outputs = CLIPTextOutputs(layer: layer, isNormalized: isNormalized, isPooled: name == "bigg")
                let encoder = try await TextEncoderGraph(name, outputs: outputs)
                let tokens = Array(ids.prefix(77))
                let end = configuration.endPosition(in: tokens)
                let found = try await encoder.run(tokens, end: end)
                let key = isNormalized ? "\(name).last" : "\(name).hidden.\(layer)"
                let expected = try file.floats(key).elements.prefix(found.hidden.elements.count)
                #expect(TextFixture.relativeDifference(found.hidden.elements, Array(expected)) < 1e-4, "layer \(layer)")
                guard let pooled = found.pooled else { continue }
                let recorded = try file.floats("\(name).pooled").elements.prefix(pooled.elements.count)
                #expect(TextFixture.relativeDifference(pooled.elements, Array(recorded)) < 1e-4)
            }
        }
    }

    @Test("A weight of another shape, or a missing one, is named")
    func wrongWeights() throws {
        let outputs = CLIPTextOutputs(layer: 1, isNormalized: false, isPooled: false)
        for (field, message) in [("intermediate_size", "mlp.fc1.weight"), ("vocab_size", "token_embedding.weight")] {
            let configuration = try TextFixture.configuration("vit-l", replacing: [field: .integer(800)])
            let error = #expect(throws: GraphError.self) {
                try CLIPTextGraph.graph(
                    configuration, weights: TextFixture.weights("vit-l"), length: 77, outputs: outputs)
            }
            #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        }
        let error = #expect(throws: GraphError.self) {
            try CLIPTextGraph.graph(
                TextFixture.configuration("vit-l"), weights: WeightStore(), length: 77, outputs: outputs)
        }
        #expect(error?.code == .missingWeight)
    }

    @Test(
        "Prompts become the embeddings of diffusers' pipelines",
        arguments: [
            ("sd1", ["vit-l"], 0), ("sd1", ["vit-l"], 1), ("sd2", ["vit-h"], 0), ("sd2", ["vit-h"], 1),
            ("xl", ["vit-l", "bigg"], 0), ("xl", ["vit-l", "bigg"], 1), ("refiner", ["bigg"], 0),
        ]
    )
    func pipelines(family: String, names: [String], skip: Int) async throws {
        let file = try SafetensorsFile(path: TextFixture.path("pipelines.safetensors"))
        let encoder = try PromptEncoder(
            names.map { name in
                (try TextFixture.tokenizer(name == "vit-l" ? name : "bigg"), try TextFixture.configuration(name))
            }, family: family.hasPrefix("sd") ? .stableDiffusion : .xl, skippedLayers: skip)
        var graphs: [TextEncoderGraph] = []
        for (name, part) in zip(names, encoder.encoders) {
            graphs.append(try await TextEncoderGraph(name, outputs: part.outputs))
        }
        let prompts = ["a portrait of a woman in red, sharp focus!", "lowres, bad anatomy"]
        let found = try await encoder.embed(prompts.map { WeightedPrompt($0) }) { index, chunk, end in
            try await graphs[index].run(chunk.tokens, end: end)
        }
        for (embedding, (hidden, pooled)) in zip(
            found, [("prompt", "pooled"), ("negative", "negativePooled")])
        {
            let expected = try file.floats("\(family).\(skip).\(hidden)")
            #expect(embedding.hidden.shape == expected.shape)
            // diffusers skips no layer for a negative prompt; ours is the one that the prompt's layers give.
            if skip == 0 || hidden == "prompt" {
                #expect(TextFixture.relativeDifference(embedding.hidden.elements, expected.elements) < 1e-4)
            }
            #expect((embedding.pooled != nil) == !family.hasPrefix("sd"))
            guard let vector = embedding.pooled else { continue }
            let recorded = try file.floats("\(family).\(skip).\(pooled)")
            #expect(TextFixture.relativeDifference(vector.elements, recorded.elements) < 1e-4)
        }
    }
}

/// A text encoder of the fixture, compiled.
private struct TextEncoderGraph {
    let model: CompiledModel
    let outputs: CLIPTextOutputs

    init(_ name: String, outputs: CLIPTextOutputs) async throws {
        let graph = try CLIPTextGraph.graph(
            TextFixture.configuration(name), weights: TextFixture.weights(name), length: 77, outputs: outputs)
        let options = CompileOptions(precision: .f32, cacheDirectory: nil)
        model = try await sharedRuntime.get().compile(graph, options: options)
        self.outputs = outputs
    }

    nonisolated(nonsending) func run(_ tokens: [Int], end: Int) async throws -> PromptEncoder.Output {
        let request = try model.makeRequest()
        try request.setInput("tokens", integers: tokens, shape: [1, tokens.count])
        if outputs.isPooled { try request.setInput("end", integers: [end], shape: [1]) }
        _ = try await request.run()
        return (try request.output("hidden"), outputs.isPooled ? try request.output("pooled") : nil)
    }
}
