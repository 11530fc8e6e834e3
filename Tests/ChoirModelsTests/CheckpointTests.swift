import ChoirGraph
import ChoirModels
import ChoirTensor
import Foundation
import Testing

@Suite struct CheckpointTests {
    @Test(arguments: ["sd1", "sd2", "sdxl", "refiner"])
    func `each weight of a single file is found under its name in diffusers`(kind: String) throws {
        let checkpoint = try CheckpointFixture.single(kind)
        let parts = try CheckpointFixture.digests(kind)
        #expect(Set(checkpoint.modules.keys.map(\.rawValue)) == Set(parts.keys))
        for (name, digests) in parts {
            let part = try #require(CheckpointPart(rawValue: name))
            let graph = GraphBuilder(name: name, weights: try checkpoint.module(part).weights())
            for (weight, expected) in digests {
                let value = try graph.weight(weight, shape: Shape(expected.shape))
                try graph.result("result of \(weight)", graph.add(value, 0))
            }
            let found = try Self.digests(of: graph.build())
            #expect(found.count == digests.count)
            let wrong = digests.filter {
                abs((found[$0.key] ?? .infinity) - $0.value.digest) > 2e-5 * max(1, abs($0.value.digest))
            }
            #expect(wrong.isEmpty, "\(wrong.keys.sorted().prefix(5))")
        }
    }

    /// The digests of the constants of a graph, by name.
    private static func digests(of graph: Graph) throws -> [String: Double] {
        let pattern = /name="([^"]+)" type="Const"[^>]*>\s*<data element_type="f16"[^>]* offset="(\d+)" size="(\d+)"/
        var digests: [String: Double] = [:]
        for match in IRWriter().text(of: graph).matches(of: pattern) {
            let (offset, size) = (try #require(Int(match.2)), try #require(Int(match.3)))
            var digest = 0.0
            for index in 0..<(size / 2) {
                let bits = graph.weights.bytes.loadUnaligned(fromByteOffset: offset + 2 * index, as: UInt16.self)
                digest += Double(Float16(bitPattern: bits)) * Double(index % 97 + 1)
            }
            digests[String(match.1)] = digest
        }
        return digests
    }

    @Test func `what a single file is follows from its tensors`() throws {
        let kinds = try ["sd1", "sd2", "sdxl", "refiner"].map(CheckpointFixture.single)
        #expect(kinds.map(\.kind) == [.stableDiffusion1, .stableDiffusion2, .sdxlBase, .sdxlRefiner])
        #expect(kinds.map(\.prediction) == [.epsilon, .velocity, .epsilon, .epsilon])
        #expect(kinds.map(\.unet.channels) == [[4, 8], [4, 8], [4, 4, 8], [4, 4, 8, 8]])
        #expect(kinds.map(\.unet.layersPerBlock) == [[2, 2], [1, 1], [1, 1, 1], [1, 1, 1, 1]])
        #expect(kinds.map(\.unet.heads) == [[2, 2], [1, 2], [1, 1, 2], [1, 1, 2, 2]])
        #expect(kinds.map(\.unet.transformerLayers) == [[1, 1], [1, 1], [1, 1, 2], [1, 2, 2, 2]])
        #expect(kinds.map(\.unet.usesLinearProjection) == [false, true, true, true])
        #expect(kinds.map(\.unet.textWidth) == [8, 12, 20, 12])
        #expect(kinds[2].unet.timeIDCount(pooledWidth: 12) == 6)
        #expect(kinds[3].unet.timeIDCount(pooledWidth: 12) == 5)
        #expect(kinds[3].unet.upAttention == [false, true, true, false])
        #expect(kinds.allSatisfy { $0.missing == ["tokenizer"] })
        for checkpoint in kinds { try checkpoint.check() }

        let texts = try kinds.flatMap { checkpoint in
            try checkpoint.kind.textEncoders.map { try checkpoint.module($0).configuration }
        }
        #expect(
            try texts.map { try $0.integer("num_hidden_layers", in: 1...99) } == [2, 2, 2, 3, 3])
        #expect(
            try texts.map { try $0.string("hidden_act") } == ["quick_gelu", "gelu", "quick_gelu", "gelu", "gelu"])
        let autoencoder = try kinds[2].module(.autoencoder).configuration
        #expect(try autoencoder.integers("block_out_channels", count: 3...3, in: 1...9) == [2, 4, 4])
        #expect(try autoencoder.number("scaling_factor", in: 0...1) == 0.13025)
    }

    @Test func `a training step in a file of 2 x says that it predicts the noise`() throws {
        let scratch = try CheckpointScratch()
        let file = try SafetensorsFile(path: CheckpointFixture.directory() + "/sd2.safetensors")
        for (name, step, expected) in [("base", 875_000, CheckpointPrediction.epsilon), ("other", 220_000, .velocity)] {
            let path = "\(scratch.path)/\(name).safetensors"
            try rewrite(file, to: path) { $0["global_step"] = .int64([], [Int64(step)]) }
            let checkpoint = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
            #expect(checkpoint.prediction == expected)
            #expect(checkpoint.nativeSide == (expected == .epsilon ? 256 : 384))
        }
    }

    @Test func `what a file of 2 x predicts is told by how the biases of its last attention spread`() throws {
        let scratch = try CheckpointScratch()
        let file = try SafetensorsFile(path: CheckpointFixture.directory() + "/sd2.safetensors")
        for (spread, expected) in [(Float(0.08), CheckpointPrediction.epsilon), (0.1, .velocity)] {
            let path = "\(scratch.path)/\(expected).safetensors"
            // The mean does not matter.
            let biases = Tensor(shape: [4], elements: [1 - spread, 1 + spread, 1 - spread, 1 + spread])
            try rewrite(file, to: path) {
                $0["model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"] = .float32(biases)
            }
            let checkpoint = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
            #expect(checkpoint.prediction == expected)
            let isEpsilon = expected == .epsilon
            #expect(checkpoint.predictionAssumption?.contains("spread by \(isEpsilon ? "0.080" : "0.100")") == true)
            #expect(checkpoint.nativeSide == (isEpsilon ? 256 : 384))
        }
    }

    @Test func `the text encoder of a file of 2 x may have the name that SDXL gives it`() throws {
        let scratch = try CheckpointScratch()
        let file = try SafetensorsFile(path: CheckpointFixture.directory() + "/sd2.safetensors")
        let path = scratch.path + "/turbo.safetensors"
        try rewrite(file, to: path) { tensors in
            for (name, content) in tensors where name.hasPrefix("cond_stage_model.") {
                tensors[name] = nil
                tensors["conditioner.embedders.0." + name.dropFirst(17)] = content
            }
        }
        let checkpoint = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
        let usual = try CheckpointFixture.single("sd2").module(.textEncoder)
        let found = try checkpoint.module(.textEncoder)
        #expect(checkpoint.kind == .stableDiffusion2 && found.parameterCount == usual.parameterCount)
        let layers = try [found, usual].map { try CLIPTextConfiguration($0.configuration).layers }
        #expect(layers[0] == layers[1])
        #expect(try found.weights().shape(of: "text_model.encoder.layers.0.mlp.fc1.weight") != nil)
    }

    @Test(arguments: ["sd1", "sd2", "sdxl"])
    func `the metadata of a single file may say what it predicts`(kind: String) throws {
        let scratch = try CheckpointScratch()
        let file = try SafetensorsFile(path: "\(CheckpointFixture.directory())/\(kind).safetensors")
        let silent = try CheckpointFixture.single(kind)
        #expect(silent.predictionAssumption != nil)
        for (name, expected) in [("v", CheckpointPrediction.velocity), ("epsilon", .epsilon), ("x", silent.prediction)]
        {
            let path = "\(scratch.path)/\(name).safetensors"
            try rewrite(file, metadata: ["modelspec.prediction_type": name], to: path) {
                $0["ztsnr"] = .float32(Tensor(shape: [0]))
            }
            let checkpoint = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
            #expect(checkpoint.prediction == expected)
            #expect((checkpoint.predictionAssumption == nil) == (name != "x"))
            #expect(checkpoint.hasZeroTerminalSNR == (expected == .velocity))
        }
    }

    @Test func `a folder with shards is SDXL base and says what it is`() throws {
        let scratch = try CheckpointScratch()
        let checkpoint = try Checkpoint(path: scratch.path)
        try checkpoint.check()
        #expect(checkpoint.kind == .sdxlBase)
        #expect(checkpoint.prediction == .velocity)
        #expect(checkpoint.predictionAssumption == nil)
        #expect(try checkpoint.module(.unet).files.count == 4)
        #expect(checkpoint.tokenizerDirectories[.textEncoder2] == scratch.path + "/tokenizer_2")
        #expect(checkpoint.schedulerPath == scratch.path + "/scheduler/scheduler_config.json")
        for part in [CheckpointPart.textEncoder, .textEncoder2] {
            let weights = try checkpoint.module(part).weights()
            #expect(weights.shape(of: "text_model.encoder.layers.0.mlp.fc1.weight") != nil)
            #expect(weights.shape(of: "encoder.layers.0.mlp.fc1.weight") != nil)
        }
        let text = checkpoint.description.description.replacing(scratch.path, with: "PATH")
        #expect(
            text == """
                PATH: SDXL base, a folder of diffusers
                  parameters      37,733
                    unet            27,280, F16, 54,560 bytes, 4 files
                    vae             4,677, F16, 9,354 bytes
                    text_encoder    1,432, F16, 2,864 bytes
                    text_encoder_2  4,344, F16, 8,688 bytes
                  native size     32x32
                  prediction      v_prediction
                  can             paint pictures from prompts and from pictures
                                  attention between tiles, at any of 11 self-attention layers
                  missing         nothing
                """)
    }

    @Test func `empty tensors of fine-tuned files say how the network was trained`() throws {
        let scratch = try CheckpointScratch()
        let file = try SafetensorsFile(path: CheckpointFixture.directory() + "/sdxl.safetensors")
        func opened(_ names: String...) throws -> Checkpoint {
            let path = "\(scratch.path)/tuned.safetensors"
            try rewrite(file, to: path) { for name in names { $0[name] = .float32(Tensor(shape: [0])) } }
            return try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
        }
        let plain = try opened()
        #expect(plain.prediction == .epsilon && !plain.hasZeroTerminalSNR)
        let velocity = try opened("v_pred")
        #expect(velocity.prediction == .velocity && !velocity.hasZeroTerminalSNR)
        let rescaled = try opened("v_pred", "ztsnr")
        #expect(rescaled.prediction == .velocity && rescaled.hasZeroTerminalSNR)
        #expect(try !opened("ztsnr").hasZeroTerminalSNR)
        for name in ["edm_mean", "edm_vpred.sigma_max"] {
            #expect(refusal { _ = try opened(name) }.contains("found the tensor \(name), of a network with EDM's"))
        }
    }

    @Test(arguments: ["sd1", "sd2", "sdxl", "refiner"])
    func `one tokenizer beside a single file serves each of its encoders`(kind: String) throws {
        let scratch = try CheckpointScratch()
        let path = "\(scratch.path)/\(kind).safetensors"
        try FileManager.default.copyItem(atPath: CheckpointFixture.directory() + "/\(kind).safetensors", toPath: path)
        let (folder, second) = (scratch.path + "/tokenizer", scratch.path + "/tokenizer_2")
        for folder in [folder, second] { try FileManager.default.removeItem(atPath: folder) }
        let without = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
        #expect(without.missing == ["tokenizer"])
        #expect(refusal { _ = try without.tokenizer(without.kind.textEncoders[0]) }.contains("beside the file"))

        var conventions = CheckpointFixture.conventions
        conventions.vocabulary = try TextFixture.vocabulary()
        let withVocabulary = try Checkpoint(path: path, conventions: conventions)
        #expect(withVocabulary.missing.isEmpty)
        for part in withVocabulary.kind.textEncoders {
            let tokenizer = try withVocabulary.tokenizer(part)
            let isCLIP = part == .textEncoder && kind != "sd2"
            #expect(tokenizer.tokenCount == 49_408 && tokenizer.padToken == (isCLIP ? tokenizer.endToken : 0))
        }

        try FileManager.default.copyItem(atPath: TextFixture.path("vit-l"), toPath: folder)
        let checkpoint = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
        #expect(checkpoint.missing.isEmpty)
        for part in checkpoint.kind.textEncoders {
            let tokenizer = try checkpoint.tokenizer(part)
            let isCLIP = part == .textEncoder && kind != "sd2"
            #expect(tokenizer.padToken == (isCLIP ? tokenizer.endToken : 0))
        }
    }

    @Test func `a folder says what is missing`() throws {
        let scratch = try CheckpointScratch()
        for name in ["vae", "scheduler", "tokenizer"] { try scratch.remove(name) }
        try scratch.replace(
            "\"text_encoder_2\": [\n    \"transformers\",\n    \"CLIPTextModelWithProjection\"\n  ]",
            by: "\"text_encoder_2\": [null, null]", in: "model_index.json")
        let checkpoint = try Checkpoint(path: scratch.path)
        #expect(checkpoint.missing == ["vae", "text_encoder_2", "tokenizer", "scheduler"])
        #expect(
            refusal { _ = try checkpoint.module(.autoencoder) }
                == "\(scratch.path): the checkpoint has no vae, which SDXL base needs; name one by --vae")
    }

    @Test func `a variant and the names of old autoencoders are found`() throws {
        let scratch = try CheckpointScratch()
        let vae = "\(scratch.path)/vae/diffusion_pytorch_model"
        let file = try SafetensorsFile(path: vae + ".safetensors")
        try rewrite(file, to: vae + ".fp16.safetensors") { tensors in
            for (new, old) in [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")] {
                for name in tensors.keys where name.contains(".attentions.0.\(new).") {
                    tensors[name.replacing(".\(new).", with: ".\(old).")] = tensors.removeValue(forKey: name)
                }
            }
        }
        try FileManager.default.removeItem(atPath: vae + ".safetensors")
        let weights = try Checkpoint(path: scratch.path).module(.autoencoder).weights()
        for layer in ["to_q", "to_k", "to_v", "to_out.0"] {
            #expect(weights.shape(of: "decoder.mid_block.attentions.0.\(layer).weight") == [4, 4])
        }
    }
}
