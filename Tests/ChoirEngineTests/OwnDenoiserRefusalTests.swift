import Choir
import ChoirEngine
import ChoirModels
import Foundation
import Testing

/// Files that are not what their manifest says: one sentence that names the file and the field, before any work.
@Suite struct OwnDenoiserRefusalTests {
    private static func manifest(_ graph: String, _ more: String = "", tile: Int = 32) -> String {
        """
        {"file": "\(graph).onnx", "inputs": {"sample": "x", "level": "t"}, "prediction": "clean",
        "noise": {"convention": "sigma", "minimum": 1, "maximum": 9}, "channels": 1, "tile": \(tile)\(more)}
        """
    }

    private static func sentence(of fixture: OwnDenoiserFixture) -> String {
        let error = #expect(throws: ModelError.self) {
            try OwnDenoiser(directory: fixture.folder, name: "own", options: EngineOptions())
        }
        return error?.description.replacingOccurrences(of: fixture.folder + "/", with: "") ?? ""
    }

    @Test func `the graph that the others are made from is taken`() throws {
        let fixture = try OwnDenoiserFixture(graph: "good", manifest: Self.manifest("good"))
        #expect(throws: Never.self) {
            try OwnDenoiser(directory: fixture.folder, name: "own", options: EngineOptions())
        }
    }

    static let graphs: [(graph: String, more: String, sentence: String)] = [
        ("rank", "", "rank.onnx: input x (inputs.sample): found 3 dimensions, [1, 16, 16], expected 4"),
        ("batch", "", "batch.onnx: input x (inputs.sample): found a batch of 2, expected 1"),
        (
            "channels", "",
            "choir.json: channels: found 1, expected 4, as the input x (inputs.sample) of channels.onnx has"
        ),
        ("oblong", "", "choir.json: tile: found 32, expected a square graph or an open height and width"),
        (
            "static", "",
            "choir.json: tile: found 32, expected 48, because input x (inputs.sample) of static.onnx is 48 x 48"
        ),
        ("integers", "", "integers.onnx: input x (inputs.sample): found integers, expected floating-point numbers"),
        ("level", "", "level.onnx: input t (inputs.level): found the shape [2], expected one number"),
        (
            "whole-level", "",
            "whole-level.onnx: input t (inputs.level): found integers, expected floating-point numbers"
        ),
        ("outputs", "", "choir.json: output is missing, expected one of those of outputs.onnx: y, z"),
        (
            "outputs", ", \"output\": \"w\"",
            "choir.json: output: found \"w\", expected an output of outputs.onnx, which has y, z"
        ),
        (
            "smaller", "",
            "smaller.onnx: output z: found the shape [1, 1, 16, 16] for tiles of 32 x 32, expected [1, 1, 32, 32]"
        ),
        ("more", "", "choir.json: conditions: found nothing for the input \"c\" of more.onnx, expected a value"),
        (
            "more", ", \"conditions\": {\"c\": {\"value\": [1, 2]}}",
            "choir.json: conditions.c.value: found 2 numbers, expected 1, for the shape [1, 1, 1, 1] in more.onnx"
        ),
        (
            "more", ", \"conditions\": {\"c\": {\"value\": 1, \"unconditional\": [0, 0, 0]}}",
            "choir.json: conditions.c.unconditional: found 3 numbers, expected 1"
        ),
        (
            "more", ", \"conditions\": {\"c\": {\"value\": 1, \"shape\": [1]}}",
            "choir.json: conditions.c.shape: found [1], expected [1, 1, 1, 1], as more.onnx has it"
        ),
        (
            "good", ", \"conditions\": {\"d\": {\"value\": 1}}",
            "choir.json: conditions.d: found \"d\", expected an input of good.onnx, which has x, t"
        ),
    ]

    @Test(arguments: graphs)
    func `a graph that is not what the manifest says is refused`(graph: String, more: String, sentence: String) throws {
        let found = Self.sentence(
            of: try OwnDenoiserFixture(graph: graph, manifest: Self.manifest(graph, more)))
        #expect(found.hasPrefix(sentence), "\(found)")
        #expect(!found.contains("\n"))
    }

    @Test func `inputs that the graph lacks are named, with those that it has`() throws {
        for (field, sentence) in [
            (
                "sample",
                "inputs.sample: found \"noisy\", expected an input of model.onnx, which has x, sigma, mean, spread"
            ),
            ("level", "inputs.level: found \"noisy\", expected an input of model.onnx"),
        ] {
            let fixture = try OwnDenoiserFixture("gaussian")
            let before = field == "sample" ? "x" : "sigma"
            try fixture.edit("\"\(field)\": \"\(before)\"", to: "\"\(field)\": \"noisy\"")
            let found = Self.sentence(of: fixture)
            #expect(found.hasPrefix("choir.json: " + sentence), "\(found)")
        }
    }

    @Test func `a number for an input of integers must be whole`() throws {
        let fixture = try OwnDenoiserFixture("network")
        try fixture.edit("\"unconditional\": 0", to: "\"unconditional\": 0.5")
        #expect(Self.sentence(of: fixture).contains("conditions.class.unconditional: found 0.5, expected an integer"))
    }

    @Test(arguments: ["model.onnx", "model.xml", "model.bin"], [0, 1, 100, 350])
    func `a file that is cut off is refused by its name`(name: String, length: Int) throws {
        let fixture = try OwnDenoiserFixture(name == "model.onnx" ? "gaussian" : "timestep")
        try fixture.write(fixture.data(name).prefix(length), to: name)
        let found = Self.sentence(of: fixture)
        #expect(found.hasPrefix(name == "model.onnx" ? "model.onnx: " : "model.xml: "), "\(found)")
        #expect(!found.contains("\n"))
    }

    @Test func `a file of another kind is refused by its name`() throws {
        for (kind, name) in [("gaussian", "model.onnx"), ("timestep", "model.xml")] {
            let fixture = try OwnDenoiserFixture(kind)
            try fixture.write(Data("this is no graph at all, but a text that someone wrote".utf8), to: name)
            #expect(Self.sentence(of: fixture).hasPrefix("\(name): this cannot be read as "))
        }
    }

    @Test func `an answer that is no number ends the painting with a sentence`() async throws {
        let fixture = try OwnDenoiserFixture(graph: "infinite", manifest: Self.manifest("infinite"))
        let request = PaintRequest(prompt: "", size: PixelSize(width: 40, height: 40))
        let error = await #expect(throws: ModelError.self) { _ = try await fixture.painting(request) }
        #expect(error?.description.contains("infinite.onnx: output z: found a number that is not finite") == true)
    }

    @Test func `a file that changes while it is used is refused`() async throws {
        let fixture = try OwnDenoiserFixture("gaussian")
        let pipeline = try await fixture.pipeline()
        let other = OwnDenoiserFixture.fixtures + "graphs/good.onnx"
        try fixture.write(Data(contentsOf: URL(fileURLWithPath: other)), to: "model.onnx")
        let request = PaintRequest(prompt: "", size: PixelSize(width: 64, height: 64))
        let error = await #expect(throws: ModelError.self) { _ = try await pipeline.paint(request).painting() }
        let sentence = "\(fixture.folder)/model.onnx: this graph does not take tiles of 64 x 64: the file has 2 inputs"
        #expect(error?.description.hasPrefix(sentence) == true, "\(error?.description ?? "")")
    }
}
