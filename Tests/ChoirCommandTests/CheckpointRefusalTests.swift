import Foundation
import Testing

/// Checkpoints that are damaged or do not fit together: one sentence with the file and the field, and nothing painted.
@Suite struct CheckpointRefusalTests {
    /// What is changed in one file of the checkpoint `sd1`, and what the sentence must say.
    struct Damage: CustomTestStringConvertible, Sendable {
        let file: String
        let text: String
        let other: String
        let parts: [String]
        var testDescription: String { "\(file): \(other)" }

        init(_ file: String, _ text: String, to other: String, saying parts: String...) {
            (self.file, self.text, self.other, self.parts) = (file, text, other, parts)
        }
    }

    private static let unet = "unet/diffusion_pytorch_model.safetensors"
    private static let vae = "vae/diffusion_pytorch_model.safetensors"
    private static let text = "text_encoder/model.safetensors"

    static let damages = [
        // A wrong shape in one tensor, of as many elements.
        Damage(
            unet, #""conv_in.weight":{"dtype":"F16","shape":[4,4,3,3]"#,
            to: #""conv_in.weight":{"dtype":"F16","shape":[4,3,4,3]"#, saying: unet, "conv_in.weight", "[4, 4, 3, 3]",
            "[4, 3, 4, 3]"),
        Damage(
            vae, #""decoder.conv_in.weight":{"dtype":"F16","shape":[8,4,3,3]"#,
            to: #""decoder.conv_in.weight":{"dtype":"F16","shape":[4,8,3,3]"#, saying: vae, "decoder.conv_in.weight",
            "[8, 4, 3, 3]", "[4, 8, 3, 3]"),
        // Blocks that there are not.
        Damage(
            "unet/config.json", "CrossAttnDownBlock2D", to: "AttnDownBlock2D", saying: "unet/config.json",
            "down_block_types", "AttnDownBlock2D"),
        Damage(
            "vae/config.json", "DownEncoderBlock2D", to: "AttnDownEncoderBlock2D", saying: "vae/config.json",
            "down_block_types", "AttnDownEncoderBlock2D"),
        // Fields out of range.
        Damage(
            "unet/config.json", #""norm_num_groups": 4"#, to: #""norm_num_groups": 0"#, saying: "unet/config.json",
            "norm_num_groups", "found 0"),
        Damage(
            "unet/config.json", #""layers_per_block": 1"#, to: #""layers_per_block": 1000000"#,
            saying: "unet/config.json", "layers_per_block", "1000000"),
        Damage(
            "text_encoder/config.json", #""num_hidden_layers": 3"#, to: #""num_hidden_layers": -3"#,
            saying: "text_encoder/config.json", "num_hidden_layers", "found -3"),
        Damage(
            "vae/config.json", #""scaling_factor": 0.18215"#, to: #""scaling_factor": 0"#, saying: "vae/config.json",
            "scaling_factor", "found 0"),
        Damage(
            "scheduler/scheduler_config.json", #""num_train_timesteps": 1000"#, to: #""num_train_timesteps": 0"#,
            saying: "scheduler/scheduler_config.json", "num_train_timesteps", "found 0"),
        // A tokenizer of another encoder.
        Damage(
            "text_encoder/config.json", #""vocab_size": 664"#, to: #""vocab_size": 600"#, saying: "model/tokenizer",
            "does not match", "text_encoder/config.json", "600"),
        Damage(
            "text_encoder/config.json", #""eos_token_id": 663"#, to: #""eos_token_id": 7"#, saying: "model/tokenizer",
            "does not match", "text_encoder/config.json", "expected 7"),
    ]

    @Test(arguments: damages)
    func `damage in one file is one sentence`(damage: Damage) async throws {
        let scratch = try CheckpointFolder.copy()
        let url = URL(fileURLWithPath: scratch.file("model/" + damage.file))
        // Weights are no text; every byte is a character of this encoding.
        let before = try #require(String(data: Data(contentsOf: url), encoding: .isoLatin1))
        let after = before.replacingOccurrences(of: damage.text, with: damage.other)
        try #require(before != after, "\(damage.file) has no \(damage.text)")
        try #require(after.data(using: .isoLatin1)).write(to: url)
        try await expectRefusal(
            ["generate", "a fox", "--size", "32x32", "--model", "model"], in: scratch, code: 65, saying: damage.parts)
    }

    @Test func `a shard that is missing is named`() async throws {
        let scratch = try CheckpointFolder.copy()
        let shards = CheckpointFolder.tests + "/ChoirModelsTests/Fixtures/UNet/sdxl"
        try FileManager.default.removeItem(atPath: scratch.file("model/unet"))
        try FileManager.default.copyItem(atPath: shards, toPath: scratch.file("model/unet"))
        let shard = "diffusion_pytorch_model-00002-of-00004.safetensors"
        try FileManager.default.removeItem(atPath: scratch.file("model/unet/" + shard))
        try await expectRefusal(
            ["generate", "a fox", "--size", "32x32", "--model", "model"], in: scratch, code: 65,
            saying: ["unet/diffusion_pytorch_model.safetensors.index.json", shard, "missing"])
    }

    static let requests: [([String], Int32, [String])] = [
        (["--model", "model", "--clip-skip", "0"], 64, ["clip skip", "found 0", "1 to 256"]),
        (["--model", "model", "--clip-skip", "4"], 64, ["clip skip", "found 4", "1 to 3 for model"]),
        (["--clip-skip", "2"], 64, ["clip skip", "found 2", "none for cosmos"]),
        (["--model", "model", "--handover", "0.5"], 64, ["handover", "0.5", "without a refiner"]),
        (["--model", "model", "--handover", "1"], 64, ["handover", "found 1.0", "below 1"]),
        (["--refiner", "model"], 64, ["refiner", "model", "a checkpoint of Stable Diffusion"]),
        (["--model", "model", "--preview-decoder", "model/vae"], 64, ["preview decoder", "without --preview"]),
        (["--model", "model", "--preview", "p.png", "--preview-decoder", "model"], 65, ["model/config.json"]),
        (["--preview", "p.png", "--preview-decoder", "model/vae"], 64, ["preview decoder", "a checkpoint"]),
        (["--spacing", "trailing"], 64, ["spacing", "found trailing", "none for this model"]),
        (["--model", "model", "--sampler", "ddim", "--spacing", "karras"], 64, ["spacing", "the sampler ddim"]),
        (
            ["--model", "model", "--sampler", "DPM++ 2M Karras", "--spacing", "trailing"], 64,
            ["spacing", "found trailing", "expected karras"]
        ),
        (["--model", "model", "--sampler", "Karras"], 64, ["sampler", "found \"Karras\""]),
        (["--vae", "model/vae"], 64, ["vae", "model/vae", "a checkpoint of Stable Diffusion"]),
        (["--model", "model", "--vae", "nowhere"], 65, ["nowhere", "no such file"]),
        (["--model", "model", "--vae", "model"], 65, ["model/config.json"]),
        (["--model", "model", "--vae", "model/unet"], 65, ["unet/config.json", "UNet2DConditionModel"]),
        (
            ["--model", "model", "--vae", "model/unet/diffusion_pytorch_model.safetensors"], 65,
            ["expected an autoencoder", "decoder.conv_in.weight"]
        ),
        (["--model", "model", "--refiner", "model"], 65, ["model", "Stable Diffusion 1.x", "refiner"]),
        (["--model", "model", "--refiner", "nowhere"], 65, ["nowhere", "no such file"]),
    ]

    @Test(arguments: requests)
    func `what a checkpoint cannot do is refused`(arguments: [String], code: Int32, parts: [String]) async throws {
        try await expectRefusal(
            ["generate", "a fox", "--size", "64x64"] + arguments, in: CheckpointFolder.copy(), code: code,
            saying: parts)
    }
}
