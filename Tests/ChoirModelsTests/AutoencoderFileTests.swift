import ChoirGraph
import ChoirModels
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

/// Autoencoders that people keep beside their checkpoints, as folders and files.
@Suite struct AutoencoderFileTests {
    private static let vae = "vae/diffusion_pytorch_model.safetensors"

    /// What an autoencoder makes of some latents.
    private static func decoded(_ module: CheckpointModule) async throws -> [Float] {
        let graph = try AutoencoderConfiguration(module.configuration)
            .decoder(weights: module.weights(), height: 4, width: 4)
        let options = CompileOptions(precision: .f32, cacheDirectory: nil)
        let request = try await OpenVINORuntime().compile(graph, options: options).makeRequest()
        let shape = graph.inputs[0].shape
        let latents = (0..<shape.elementCount).map { sin(Float($0)) }
        try request.setInput(graph.inputs[0].name, Tensor(shape: shape, elements: latents))
        try await request.run()
        return try request.output(graph.outputs[0].name).elements
    }

    private static func expectSame(_ found: CheckpointModule, as expected: CheckpointModule) async throws {
        #expect(
            try AutoencoderConfiguration(found.configuration) == AutoencoderConfiguration(expected.configuration))
        let (found, expected) = (try await decoded(found), try await decoded(expected))
        #expect(found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(expected.contains { abs($0) > 1e-3 })
    }

    @Test(arguments: [CheckpointKind.stableDiffusion1, .sdxlBase])
    func `a file in the original layout, alone or in a checkpoint, is opened`(kind: CheckpointKind) async throws {
        let scratch = try CheckpointScratch()
        let name = kind == .sdxlBase ? "sdxl" : "sd1"
        let expected = try CheckpointFixture.single(name).module(.autoencoder)
        let whole = try CheckpointFixture.directory() + "/\(name).safetensors"
        let alone = scratch.path + "/alone.safetensors"
        try rewrite(SafetensorsFile(path: whole), to: alone) { tensors in
            for (name, content) in tensors {
                tensors[name] = nil
                if name.hasPrefix("first_stage_model.") { tensors[String(name.dropFirst(18))] = content }
            }
        }
        for path in [whole, alone] {
            let found = try CheckpointModule(autoencoder: path, kind: kind, conventions: CheckpointFixture.conventions)
            #expect(found.parameterCount == expected.parameterCount)
            try await Self.expectSame(found, as: expected)
        }
    }

    @Test func `a file of diffusers has the sizes of its folder`() async throws {
        let scratch = try CheckpointScratch()
        try scratch.replace(#""scaling_factor": 0.18215"#, by: #""scaling_factor": 0.13025"#, in: "vae/config.json")
        let folder = try CheckpointModule(autoencoder: scratch.path + "/vae", kind: .sdxlBase)
        let file = try CheckpointModule(
            autoencoder: "\(scratch.path)/\(Self.vae)", kind: .sdxlBase, conventions: CheckpointFixture.conventions)
        try await Self.expectSame(file, as: folder)
    }

    @Test func `the decoder of a tiny autoencoder is opened in the layout of its author`() async throws {
        let scratch = try CheckpointScratch()
        let folder = scratch.path + "/taesd"
        let tiny = try #require(Bundle.module.resourcePath) + "/Fixtures/Autoencoder/tiny"
        try FileManager.default.copyItem(atPath: tiny, toPath: folder)
        let weights = folder + "/diffusion_pytorch_model.safetensors"
        try FileManager.default.moveItem(atPath: folder + "/model.safetensors", toPath: weights)
        try scratch.replace("{", by: #"{ "_class_name": "AutoencoderTiny","#, in: "taesd/config.json")
        // As the published ones have them.
        for (fixture, published) in [("scaling_factor\": 0.8", "1"), ("shift_factor\": 0.2", "0")] {
            try scratch.replace(fixture, by: fixture.dropLast(3) + published, in: "taesd/config.json")
        }
        let file = scratch.path + "/taesd_decoder.safetensors"
        try rewrite(SafetensorsFile(path: weights), to: file) { tensors in
            for (name, content) in tensors {
                tensors[name] = nil
                let words = name.split(separator: ".", maxSplits: 3)
                if words[0] == "decoder" { tensors["\(try #require(Int(words[2])) + 1).\(words[3])"] = content }
            }
        }
        let found = try await Self.decoded(CheckpointModule(autoencoder: file, kind: .sdxlBase))
        let expected = try await Self.decoded(CheckpointModule(autoencoder: folder, kind: .sdxlBase))
        #expect(found == expected && expected.contains { abs($0) > 1e-3 })
    }

    @Test func `one that does not fit the checkpoint is refused`() throws {
        let scratch = try CheckpointScratch()
        var checkpoint = try Checkpoint(path: scratch.path)
        let file = "\(scratch.path)/\(Self.vae)"
        try checkpoint.replaceAutoencoder(by: file, conventions: CheckpointFixture.conventions)
        #expect(checkpoint.autoencoderPath == file)
        let other = try #require(Bundle.module.resourcePath) + "/Fixtures/Autoencoder/large"
        try FileManager.default.copyItem(atPath: other, toPath: scratch.path + "/other")
        try FileManager.default.moveItem(
            atPath: scratch.path + "/other/model.safetensors",
            toPath: scratch.path + "/other/diffusion_pytorch_model.safetensors")
        #expect(
            refusal { try checkpoint.replaceAutoencoder(by: scratch.path + "/other") }
                == "\(scratch.path)/other: the autoencoder has 2 pixels a cell, expected 4, as the checkpoint's own")
        for path in [scratch.path + "/tokenizer", scratch.path + "/nowhere", scratch.path + "/model_index.json"] {
            #expect(refusal { try checkpoint.replaceAutoencoder(by: path) }.hasPrefix(path))
        }
        #expect(checkpoint.autoencoderPath == file)
    }
}
