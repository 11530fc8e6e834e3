import Foundation
import Testing

@Suite struct MetadataTests {
    @Test(arguments: ["a.png", "a.tif", "a.jpg", "a.webp", "a.dzi"])
    func `every format carries the parameters and the request`(file: String) async throws {
        let scratch = Scratch()
        let hash = try await paintedHash(
            [
                "red nebula, \"blue\" stars: größer & <dark>", "--negative", "green", "--size", "96x160", "--tile",
                "64",
                "--overlap", "20", "--steps", "2", "--guidance", "2.5", "--seed", "7", "--sampler", "dpmpp2m",
                "--output", file,
            ], in: scratch)
        let outcome = try await choir("inspect", file, in: scratch)
        #expect(outcome.code == 0, "\(outcome.error)")
        let lines = outcome.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 5, "\(outcome.output)")
        #expect(lines[1] == "red nebula, \"blue\" stars: größer & <dark>")
        #expect(lines[2] == "Negative prompt: green")
        #expect(
            lines[3].hasPrefix(
                "Steps: 2, Sampler: DPM++ 2M, CFG scale: 2.5, Seed: 7, Size: 96x160, Model: cosmos, Tile size: 64, Overlap: 32, "
                    + "Bridges: consensus+attention+coarse, Version: Choir "))
        #expect(try await paintedHash(Self.arguments(block: lines[4]), in: scratch) == hash)
    }

    /// The options that a JSON block stands for.
    static func arguments(block: String) throws -> [String] {
        let block = try #require(try JSONSerialization.jsonObject(with: Data(block.utf8)) as? [String: Any])
        #expect(block["model"] as? String == "cosmos")
        let request = try #require(block["request"] as? [String: Any])
        let size = try #require(request["size"] as? [String: Int])
        var arguments = [
            try #require(request["prompt"] as? String), "--size", "\(size["width"] ?? 0)x\(size["height"] ?? 0)",
            "--negative", try #require(request["negativePrompt"] as? String), "--output", "again.png",
        ]
        for field in ["seed", "steps", "guidance", "sampler", "tile", "overlap"] {
            arguments += ["--\(field)", "\(try #require(request[field]))"]
        }
        return arguments + ["--bridge"] + (try #require(request["bridges"] as? [String]))
    }

    @Test func `seams finds the tiles in the metadata and measures as the report does`() async throws {
        let scratch = Scratch()
        // Wider than high, so that only one side is cut.
        for (size, name) in [("160x96", "a.png"), ("64x208", "b.tif"), ("208x48", "c.png")] {
            let outcome = try await choir(
                "generate", "stars", "--size", size, "--tile", "64", "--steps", "1", "--output", name, "--report",
                "r.json",
                "--quiet", in: scratch)
            #expect(outcome.code == 0, "\(outcome.error)")
            let seam = try #require(try scratch.json("r.json")["seam"] as? [String: Double])
            for options in [[], ["--tile", "64", "--overlap", "16"]] {
                let measured = try await Program.choir.run(["seams", name, "--json"] + options, in: scratch.path)
                let json = try JSONSerialization.jsonObject(with: Data(measured.output.utf8)) as? [String: Any]
                let borders = try #require(json?["borders"] as? [String: Any], "\(measured.error)")
                #expect(borders["mean"] as? Double == seam["ratioMean"])
                #expect(borders["p95"] as? Double == seam["ratioP95"])
                #expect(json?["controlWorst"] as? Double == seam["controlWorst"])
            }
        }
        let table = try await choir("seams", "a.png", in: scratch)
        #expect(
            table.output.split(separator: "\n").map { $0.prefix(8) } == [
                "lines   ", "all     ", "columns ", "rows    ", "control ", "worst of",
            ])
    }

    @Test func `seams finds the last tiles of a picture whose tiles moved`() async throws {
        let scratch = Scratch()
        let outcome = try await choir(
            "generate", "stars", "--size", "160x96", "--tile", "64", "--steps", "2", "--bridge", "shift", "--output",
            "a.png", "--report", "r.json", "--quiet", in: scratch)
        #expect(outcome.code == 0, "\(outcome.error)")
        let seam = try #require(try scratch.json("r.json")["seam"] as? [String: Double])
        let measured = try await Program.choir.run(["seams", "a.png", "--json"], in: scratch.path)
        let json = try JSONSerialization.jsonObject(with: Data(measured.output.utf8)) as? [String: Any]
        let borders = try #require(json?["borders"] as? [String: Any], "\(measured.error)")
        #expect(borders["mean"] as? Double == seam["ratioMean"])
    }

    @Test func `inspect lists a checkpoint and a model's folder`() async throws {
        let scratch = Scratch()
        let folder = Program.buildDirectory + "/choir_ChoirModels.resources/Cosmos"
        let model = try await choir("inspect", folder, in: scratch)
        #expect(model.code == 0, "\(model.error)")
        #expect(model.output.hasPrefix("a Cosmos network: widths ["))
        #expect(model.output.contains("  refine2.weight "))
        let words = try await choir("inspect", folder + "/words.safetensors", in: scratch)
        #expect(words.output.contains("  vectors "))
    }
}
