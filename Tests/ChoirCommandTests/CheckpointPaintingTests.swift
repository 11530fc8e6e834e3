import Foundation
import Testing

/// `choir generate` with a checkpoint, made of the parts that the tests of ChoirEngine use.
@Suite struct CheckpointPaintingTests {
    @Test func `a folder paints in tiles, resumes under its name, and gives its latents`() async throws {
        let scratch = try CheckpointFolder.copy()
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

    @Test func `clip skip changes the picture and stands in its metadata`() async throws {
        let scratch = try CheckpointFolder.copy()
        let arguments = ["a red fox", "--size", "32x32", "--steps", "2", "--model", "model"]
        let plain = try await paintedHash(arguments, in: scratch)
        #expect(try await paintedHash(arguments + ["--clip-skip", "1"], in: scratch) == plain)
        #expect(try await paintedHash(arguments + ["--clip-skip", "2"], in: scratch) != plain)
        let inspected = try await choir("inspect", "choir.png", in: scratch)
        #expect(inspected.output.contains("Clip skip: 2") && inspected.output.contains(#""clipSkip":2"#))
    }

    @Test func `a spacing changes the picture, stands in its metadata and is kept by a run`() async throws {
        let scratch = try CheckpointFolder.copy()
        let arguments = ["a red fox", "--size", "32x32", "--steps", "3", "--sampler", "euler", "--model", "model"]
        let plain = try await paintedHash(arguments, in: scratch)
        let hash = try await paintedHash(arguments + ["--spacing", "karras", "--run", "r"], in: scratch)
        #expect(hash != plain)
        let inspected = try await choir("inspect", "choir.png", in: scratch)
        #expect(inspected.output.contains("Sampler: Euler, Schedule type: Karras,"))
        let combined = arguments.map { $0 == "euler" ? "Euler Karras" : $0 }
        #expect(try await paintedHash(combined, in: scratch) == hash)
        let resumed = try await choir("resume", "r", "--quiet", "--report", "r.json", in: scratch)
        #expect(try resumed.code == 0 && scratch.json("r.json")["pixelsSHA256"] as? String == hash)
    }

    @Test func `base and refiner are planned, paint, say so, and resume across the handover`() async throws {
        let scratch = try CheckpointFolder.pair()
        let engine = ["--model", "base", "--refiner", "expert", "--handover", "0.5"]
        let picture = ["--size", "48x32", "--steps", "6", "--bridge", "consensus"]
        let plan = try await Program.choir.run(["plan"] + engine + picture, in: scratch.path)
        let lines = plan.output.split(separator: "\n")
        #expect(plan.code == 0 && lines[0].contains(", 2 steps of ") && !lines[0].contains("refiner"))
        #expect(lines[1].contains(", 4 steps of ") && lines[1].contains("by the refiner expert"))

        let hash = try await paintedHash(["a red fox", "--run", "whole"] + engine + picture, in: scratch)
        let inspected = try await choir("inspect", "choir.png", in: scratch)
        #expect(inspected.output.contains("Steps: 6,") && inspected.output.contains("Refiner: expert"))
        #expect(inspected.output.contains("Refiner switch at: 0.5"))
        // The state of the finished run is the refiner's; one of before the handover follows.
        for run in ["whole", "killed"] {
            if run == "killed" {
                let killed = try await Program.choir.run(
                    ["generate", "a red fox", "--run", run, "--quiet", "--preview", "p.png"] + engine + picture,
                    in: scratch.path
                ) { process in
                    while !FileManager.default.fileExists(atPath: scratch.file("p.png")) {
                        guard kill(process, 0) == 0 else { return }
                        try await Task.sleep(for: .milliseconds(1))
                    }
                    kill(process, SIGKILL)
                }
                // A machine that was quicker than the signal has shown the same as above.
                #expect(killed.code == -SIGKILL || killed.code == 0)
            }
            let resumed = try await choir("resume", run, "--quiet", "--report", "r.json", in: scratch)
            let report = try scratch.json("r.json")
            #expect(resumed.code == 0 && report["pixelsSHA256"] as? String == hash, "\(resumed.error)")
            #expect(report["refiner"] as? String == "expert" && report["handover"] as? Double == 0.5)
            #expect(report["steps"] as? Int == 6)
        }
    }

    @Test func `a tiny autoencoder may paint the previews, and does not change the picture`() async throws {
        let scratch = try CheckpointFolder.copy()
        try CheckpointFolder.addTinyAutoencoder(to: scratch)
        let arguments = ["a red fox", "--size", "64x48", "--steps", "2", "--model", "model"]
        let plain = try await paintedHash(arguments + ["--preview", "a.png"], in: scratch)
        let other = try await paintedHash(
            arguments + ["--preview", "b.png", "--preview-decoder", "taesd"], in: scratch)
        #expect(plain == other)
        #expect(try scratch.data("a.png") != scratch.data("b.png"))
    }

    @Test func `another autoencoder decodes, stands in report and metadata, and a run resumes with it`() async throws {
        let scratch = try CheckpointFolder.copy()
        try CheckpointFolder.addTinyAutoencoder(to: scratch)
        let arguments = ["a red fox", "--size", "64x48", "--steps", "2", "--model", "model"]
        let plain = try await paintedHash(arguments + ["--preview", "a.png"], in: scratch)
        let hash = try await paintedHash(
            arguments + ["--vae", "taesd", "--run", "r", "--preview", "b.png"], in: scratch)
        #expect(hash != plain)
        #expect(try scratch.data("a.png") != scratch.data("b.png"))
        let inspected = try await choir("inspect", "choir.png", in: scratch)
        #expect(inspected.output.contains("VAE: taesd,") && inspected.output.contains(#""autoencoder":"taesd""#))
        let resumed = try await choir("resume", "r", "--quiet", "--report", "r.json", in: scratch)
        let report = try scratch.json("r.json")
        #expect(resumed.code == 0 && report["pixelsSHA256"] as? String == hash, "\(resumed.error)")
        #expect(report["autoencoder"] as? String == "taesd")
        let request = try String(contentsOfFile: scratch.file("r/request.json"), encoding: .utf8)
        try scratch.write(request.replacing(#""vae""#, with: #""other""#), to: "r/request.json")
        try await expectRefusal(
            ["resume", "r"], in: scratch, code: 65,
            saying: ["r/request.json", "this painting's autoencoder is taesd, not the model's own"])

        // In the place of one that is missing it gives the same, and so it does as a part of the checkpoint.
        try FileManager.default.removeItem(atPath: scratch.file("model/vae"))
        #expect(try await paintedHash(arguments + ["--vae", "taesd"], in: scratch) == hash)
        try await expectRefusal(
            ["generate"] + arguments, in: scratch, code: 65, saying: ["model", "has no vae", "--vae"])
        try FileManager.default.moveItem(atPath: scratch.file("taesd"), toPath: scratch.file("model/vae"))
        #expect(try await paintedHash(arguments, in: scratch) == hash)
    }

    @Test func `what is missing is one sentence`() async throws {
        for part in ["tokenizer", "vae/diffusion_pytorch_model.safetensors", "text_encoder"] {
            let scratch = try CheckpointFolder.copy()
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
