import ChoirGraph
import ChoirModels
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

/// The graphs against diffusers, see `Scripts/fixtures/autoencoder.py`.
@Suite struct AutoencoderParityTests {
    private struct Fixture {
        let fields: ConfigurationFields
        let weights: WeightStore
        let expected: SafetensorsFile

        init(_ name: String) throws {
            let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/Autoencoder/\(name)")
            fields = try ConfigurationFields(path: folder.appendingPathComponent("config.json").path)
            weights = try WeightStore(files: [
                SafetensorsFile(path: folder.appendingPathComponent("model.safetensors").path)
            ])
            expected = try SafetensorsFile(path: folder.appendingPathComponent("expected.safetensors").path)
        }

        /// The largest difference of what a graph gives from what is expected, relative to the largest number expected.
        func difference(_ graph: Graph, from input: String, to output: String) async throws -> Float {
            let options = CompileOptions(precision: .f32, cacheDirectory: nil)
            let request = try await OpenVINORuntime().compile(graph, options: options).makeRequest()
            let given = try expected.floats(input)
            try request.setInput(graph.inputs[0].name, given.reshaped(to: graph.inputs[0].shape))
            try await request.run()
            let result = try request.output(graph.outputs[0].name)
            let wanted = try expected.floats(output)
            try #require(result.shape.dimensions == [1] + wanted.shape.dimensions)
            let scale = wanted.elements.map(abs).max() ?? 0
            return zip(result.elements, wanted.elements).map { abs($0 - $1) }.reduce(0, max) / scale
        }
    }

    @Test(arguments: ["stable", "large", "plain"])
    func `AutoencoderKL decodes and encodes as diffusers`(name: String) async throws {
        let fixture = try Fixture(name)
        let configuration = try AutoencoderKLConfiguration(fixture.fields)
        let latents = try fixture.expected.floats("latents")
        let decoder = try AutoencoderKLGraph.decoder(
            configuration, weights: fixture.weights, height: latents.height, width: latents.width)
        #expect(try await fixture.difference(decoder, from: "latents", to: "decoded") < 1e-4)
        let picture = try fixture.expected.floats("picture")
        let encoder = try AutoencoderKLGraph.encoder(
            configuration, weights: fixture.weights, height: picture.height, width: picture.width)
        #expect(try await fixture.difference(encoder, from: "picture", to: "encoded") < 1e-4)
    }

    @Test func `AutoencoderTiny decodes and encodes as diffusers`() async throws {
        let fixture = try Fixture("tiny")
        let configuration = try AutoencoderTinyConfiguration(fixture.fields)
        let latents = try fixture.expected.floats("latents")
        let decoder = try AutoencoderTinyGraph.decoder(
            configuration, weights: fixture.weights, height: latents.height, width: latents.width)
        #expect(try await fixture.difference(decoder, from: "latents", to: "decoded") < 1e-4)
        let picture = try fixture.expected.floats("picture")
        let encoder = try AutoencoderTinyGraph.encoder(
            configuration, weights: fixture.weights, height: picture.height, width: picture.width)
        #expect(try await fixture.difference(encoder, from: "picture", to: "encoded") < 1e-4)
    }

    @Test func `weights that do not fit the configuration are named`() throws {
        let fixture = try Fixture("plain")
        var configuration = try AutoencoderKLConfiguration(fixture.fields)
        configuration.hasAttention = true
        let missing = #expect(throws: GraphError.self) {
            try AutoencoderKLGraph.decoder(configuration, weights: fixture.weights, height: 4, width: 4)
        }
        #expect(missing?.code == .missingWeight)
        #expect(missing?.subject == "vae.decoder.mid_block.attentions.0.group_norm.weight")
        configuration.hasAttention = false
        configuration.latentChannels = 5
        let other = #expect(throws: GraphError.self) {
            try AutoencoderKLGraph.encoder(configuration, weights: fixture.weights, height: 4, width: 4)
        }
        #expect(other?.subject == "vae.encoder.conv_out.weight")
        #expect(other?.message.contains("expected [10, 8, 3, 3], file has [12, 8, 3, 3]") == true)
    }
}
