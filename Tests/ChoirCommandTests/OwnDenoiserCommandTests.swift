import Foundation
import Testing

/// `choir` with denoisers of one's own, those of the tests of ChoirEngine.
@Suite struct OwnDenoiserCommandTests {
    private func scratch(_ kind: String = "gaussian") throws -> Scratch {
        let scratch = Scratch()
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        try FileManager.default.copyItem(
            atPath: tests + "/ChoirEngineTests/Fixtures/OwnDenoiser/" + kind, toPath: scratch.file("model"))
        return scratch
    }

    private static let small = ["--model", "model", "--size", "160x140"]

    @Test func `a grey picture is painted, resumed, measured and described`() async throws {
        let scratch = try scratch()
        let told = Self.small + ["--condition", "mean=2500", "--precision", "f32"]
        let hash = try await paintedHash(told + ["--run", "r", "--preview", "p.png"], in: scratch)
        let titled = ["a title"] + told + ["--modules", "1", "--output", "b.tif"]
        #expect(try await paintedHash(titled, in: scratch) == hash)
        let other = try await paintedHash(Self.small + ["--precision", "f32", "--output", "c.png"], in: scratch)
        #expect(other != hash)
        let picture = try await choir("inspect", "choir.png", in: scratch)
        for part in [
            "160x140, 1 channels of 16 bits", "Model: elevation,", "\"conditions\":{\"mean\":[2500]}",
        ] { #expect(picture.output.contains(part), "\(picture.output)") }
        let preview = try await choir("inspect", "p.png", in: scratch)
        #expect(preview.output.contains("p.png: 160x144, 3 channels"))
        let seams = try await choir("seams", "choir.png", in: scratch)
        #expect(seams.code == 0 && seams.output.contains("columns"), "\(seams.error)")
        let resumed = try await choir("resume", "r", "--quiet", "--report", "r.json", in: scratch)
        #expect(try resumed.code == 0 && scratch.json("r.json")["pixelsSHA256"] as? String == hash)
    }

    @Test func `a plan and an inspection run nothing`() async throws {
        let scratch = try scratch("timestep")
        let before = scratch.names
        let plan = try await choir("plan", "--model", "model", "--size", "160x140", in: scratch)
        #expect(plan.code == 0, "\(plan.error)")
        #expect(plan.output.contains("160x140 (a canvas of 160x144 cells): 3 x 3 tiles of 64x64"), "\(plan.output)")
        let inspected = try await choir("inspect", "model", in: scratch)
        #expect(inspected.output.contains("model/choir.json: model, a denoiser of your own"), "\(inspected.error)")
        #expect(inspected.output.contains("64x64, the only size"))
        #expect(scratch.names == before)
    }

    static let refusals: [(kind: String, arguments: [String], code: Int32, parts: [String])] = [
        ("gaussian", ["--output", "a.jpg"], 64, ["a.jpg", "jpeg holds 8 bits per channel, not 16"]),
        ("gaussian", ["--output", "a.webp"], 64, ["a.webp", "webp holds 8 bits per channel, not 16"]),
        ("gaussian", ["--condition", "mean"], 64, ["mean", "season=0.5,1"]),
        ("gaussian", ["--condition", "mean=1", "--condition", "mean=2"], 64, ["condition mean", "two of it"]),
        ("gaussian", ["--condition", "mean=10000"], 64, ["condition mean", "found 10000.0", "-1000.0 to 9000.0"]),
        ("gaussian", ["--condition", "spread=1"], 64, ["condition spread", "elevation", "expected mean"]),
        ("gaussian", ["--negative", "fog"], 64, ["negative prompt", "reads no prompts"]),
        ("gaussian", ["--region", "fog@0,0,1,1"], 64, ["regions", "reads no prompts"]),
        ("network", [], 64, ["condition class", "found none", "no default"]),
        ("network", ["--condition", "class=1.5"], 64, ["condition class", "found 1.5", "whole number from 0.0"]),
        ("timestep", ["--guidance", "2"], 64, ["guidance", "found 2.0", "nothing to lead away from"]),
        ("timestep", ["--tile", "128"], 64, ["tile", "found 128", "64"]),
    ]

    @Test(arguments: refusals)
    func `what such a denoiser cannot paint is refused before any work`(
        kind: String, arguments: [String], code: Int32, parts: [String]
    ) async throws {
        let scratch = try scratch(kind)
        try await expectRefusal(["generate"] + Self.small + arguments, in: scratch, code: code, saying: parts)
    }

    @Test(arguments: ["generate", "plan", "inspect"])
    func `a manifest or graph with something wrong is refused with its name`(command: String) async throws {
        let arguments = command == "inspect" ? ["inspect", "model"] : [command] + Self.small
        for (text, other, parts) in [
            ("\"x\"", "\"noisy\"", ["model/choir.json: inputs.sample", "found \"noisy\"", "model.onnx"]),
            ("\"channels\": 1", "\"channels\": 3", ["model/choir.json: channels", "found 3", "expected 1"]),
            ("\"clean\"", "\"score\"", ["model/choir.json: prediction", "found \"score\""]),
            ("model.onnx", "other.onnx", ["model/choir.json: file", "other.onnx", "no such file"]),
        ] {
            let scratch = try scratch()
            let manifest = scratch.text("model/choir.json")
            try #require(manifest.contains(text))
            try scratch.write(manifest.replacingOccurrences(of: text, with: other), to: "model/choir.json")
            try await expectRefusal(arguments, in: scratch, code: 65, saying: parts)
        }
        let scratch = try scratch()
        try scratch.write("no graph", to: "model/model.onnx")
        let parts = ["model/model.onnx", "cannot be read as an ONNX"]
        try await expectRefusal(arguments, in: scratch, code: 65, saying: parts)
    }

    @Test func `a set of tiles is refused`() async throws {
        let scratch = try scratch()
        let outcome = try await choir(
            "tiles", "rocks", "--tileable", "xy", "--model", "model", "--size", "64x64", "--output", "set", in: scratch)
        #expect(outcome.code == 64 && outcome.error.contains("elevation, which reads no prompts"), "\(outcome.error)")
        #expect(outcome.errorLines.count == 1 && !scratch.exists("set"))
    }
}
