import Foundation
import Testing

/// `choir inspect` of a folder of diffusers, made of the parts that the tests of ChoirModels use.
@Suite struct CheckpointInspectTests {
    private func checkpoint() throws -> Scratch {
        let scratch = Scratch()
        let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "ChoirModelsTests/Fixtures").path
        try FileManager.default.copyItem(atPath: fixtures + "/Checkpoint/sdxl", toPath: scratch.file("model"))
        try FileManager.default.copyItem(atPath: fixtures + "/UNet/sdxl", toPath: scratch.file("model/unet"))
        return scratch
    }

    @Test func `a checkpoint is described`() async throws {
        let result = try await choir("inspect", "model", in: checkpoint())
        #expect(result.code == 0)
        for part in [
            "model: SDXL base, a folder of diffusers", "parameters      37,733", "native size     32x32",
            "prediction      v_prediction", "missing         tokenizer, tokenizer_2",
        ] {
            #expect(result.output.contains(part), "\(part)")
        }
    }

    @Test(arguments: ["inspect", "generate"])
    func `a file of PyTorch is refused as one`(command: String) async throws {
        let scratch = Scratch()
        try Data([0x50, 0x4B, 0x03, 0x04] + [UInt8](repeating: 0x6C, count: 60)).write(
            to: URL(fileURLWithPath: scratch.file("old.ckpt")))
        let arguments = command == "inspect" ? ["old.ckpt"] : ["fox", "--model", "old.ckpt", "--output", "a.png"]
        try await expectRefusal([command] + arguments, in: scratch, code: 65, saying: ["old.ckpt", "file of PyTorch"])
    }

    @Test func `a damaged checkpoint is refused with its file`() async throws {
        let scratch = try checkpoint()
        let shard = "diffusion_pytorch_model-00003-of-00004.safetensors"
        try FileManager.default.removeItem(atPath: scratch.file("model/unet/" + shard))
        try await expectRefusal(
            ["inspect", "model"], in: scratch, code: 65,
            saying: ["model/unet/diffusion_pytorch_model.safetensors.index.json", shard, "missing"])
    }
}
