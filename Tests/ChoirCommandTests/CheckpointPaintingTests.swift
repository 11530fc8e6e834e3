import Foundation
import Testing

/// `choir generate` with a checkpoint, made of the parts that the tests of ChoirEngine use.
@Suite struct CheckpointPaintingTests {
    private func checkpoint() throws -> Scratch {
        let scratch = Scratch()
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        try FileManager.default.copyItem(
            atPath: tests + "/ChoirEngineTests/Fixtures/Pipeline/sd1", toPath: scratch.file("model"))
        try FileManager.default.copyItem(
            atPath: tests + "/ChoirModelsTests/Fixtures/Text/vit-l", toPath: scratch.file("model/tokenizer"))
        return scratch
    }

    @Test func `a folder paints in tiles, resumes under its name, and gives its latents`() async throws {
        let scratch = try checkpoint()
        let arguments = ["a (red:1.3) fox", "--size", "96x64", "--steps", "2", "--model", "model"]
        let hash = try await paintedHash(arguments + ["--run", "r", "--latents", "l.safetensors"], in: scratch)
        #expect(try await paintedHash(arguments + ["--modules", "1", "--output", "b.png"], in: scratch) == hash)
        let inspected = try await choir("inspect", "choir.png", in: scratch)
        #expect(inspected.output.contains("96x64") && inspected.output.contains("Model: model,"))
        let latents = try await choir("inspect", "l.safetensors", in: scratch)
        #expect(latents.output.contains("latents F32 [1, 4, 16, 24]"))
        let resumed = try await choir("resume", "r", "--quiet", "--report", "r.json", in: scratch)
        #expect(try resumed.code == 0 && scratch.json("r.json")["pixelsSHA256"] as? String == hash)
    }

    @Test func `what is missing is one sentence`() async throws {
        for part in ["tokenizer", "vae/diffusion_pytorch_model.safetensors", "text_encoder"] {
            let scratch = try checkpoint()
            try FileManager.default.removeItem(atPath: scratch.file("model/" + part))
            try await expectRefusal(
                ["generate", "a fox", "--size", "32x32", "--model", "model"], in: scratch, code: 65,
                saying: ["model", String(part.prefix { $0 != "/" })])
        }
        let scratch = Scratch()
        try scratch.write("no weights", to: "a.safetensors")
        for name in ["a.safetensors", "b.safetensors"] {
            try await expectRefusal(
                ["generate", "a fox", "--size", "32x32", "--model", name], in: scratch, code: 65, saying: [name])
        }
    }
}
