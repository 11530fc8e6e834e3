import ChoirModels
import ChoirSampling
import Foundation
import Testing

@Suite struct OwnDenoiserManifestTests {
    /// A manifest with every field; one field to a line, as the tests replace them.
    static let whole = """
        {
        "name": "elevation",
        "file": "model.onnx",
        "inputs": {"sample": "x", "level": "sigma"},
        "output": "denoised",
        "conditions": {"season": {"default": [0.5, 1], "minimum": 0, "maximum": 1, "unconditional": [0, 0]}},
        "prediction": "clean",
        "noise": {"convention": "sigma", "minimum": 0.002, "maximum": 80, "rho": 5},
        "channels": 1,
        "tile": 96,
        "overlap": 24,
        "alignment": 8,
        "range": [-500, 9000],
        "sampler": "heun",
        "steps": 18,
        "guidance": 2,
        "start": 0.5
        }
        """

    static let least = """
        {"file": "a.xml", "inputs": {"sample": "x", "level": "t"}, "prediction": "velocity",
        "noise": {"convention": "timestep"}, "channels": 3, "tile": 40}
        """

    static func parse(_ text: String) throws(ModelError) -> DenoiserManifest {
        try DenoiserManifest(ConfigurationFields(path: "folder/choir.json", json: Array(text.utf8)))
    }

    /// The whole manifest with another line for a field, or without it.
    static func replacing(_ field: String, by value: String?) -> String {
        var lines = whole.split(separator: "\n").map(String.init)
        lines.removeAll { $0.hasPrefix("\"\(field)\":") }
        if let value { lines.insert("\"\(field)\": \(value),", at: 1) }
        if lines[lines.count - 2].hasSuffix(",") { lines[lines.count - 2].removeLast() }
        return lines.joined(separator: "\n")
    }

    @Test func `every field is read`() throws {
        let manifest = try Self.parse(Self.whole)
        #expect(manifest.name == "elevation" && manifest.graphPath == "folder/model.onnx")
        #expect((manifest.sample, manifest.level, manifest.output) == ("x", "sigma", "denoised"))
        #expect(manifest.prediction == .clean && manifest.noise == .sigma(minimum: 0.002, maximum: 80, rho: 5))
        #expect((manifest.channels, manifest.tile, manifest.overlap, manifest.alignment) == (1, 96, 24, 8))
        #expect(manifest.range == -500...9000)
        #expect(manifest.sampler == .heun && manifest.steps == 18 && manifest.guidance == 2 && manifest.start == 0.5)
        let season = try #require(manifest.conditions.first)
        #expect(manifest.conditions.count == 1 && season.name == "season" && season.range == 0...1)
        #expect(season.source == .request(absent: [0.5, 1]) && season.unconditional == [0, 0])
    }

    @Test func `what is left out has a default`() throws {
        let manifest = try Self.parse(Self.least)
        #expect(manifest.name == nil && manifest.output == nil && manifest.conditions.isEmpty)
        let noise = try TrainingNoise(growth: .linear, betaStart: 1e-4, betaEnd: 0.02)
        #expect(manifest.noise == .timestep(noise, spacing: .trailing))
        #expect((manifest.overlap, manifest.alignment) == (10, 8) && manifest.range == -1...1)
        #expect(manifest.sampler == .euler && manifest.steps == 25 && manifest.guidance == 1 && manifest.start == 0.6)
        let consistency = try Self.parse(Self.replacing("steps", by: nil).replacing("heun", "consistency"))
        #expect(consistency.sampler == .consistency && consistency.steps == 2)
    }

    static let refusals: [(field: String, value: String?, parts: [String])] = [
        ("sapmler", "\"euler\"", ["sapmler", "not known", "sampler"]),
        ("file", nil, ["file is missing", "a name"]), ("file", "7", ["file", "found 7"]),
        ("file", "\"model.pt\"", ["file", "model.pt", ".onnx"]),
        ("file", "\"../model.onnx\"", ["file", "../model.onnx", "same folder"]),
        ("file", "\"\"", ["file", "1 to 256 bytes"]), ("name", "\"a\\u0000b\"", ["name", "1 to 256 bytes"]),
        ("inputs", nil, ["inputs is missing", "sample and level"]), ("inputs", "[]", ["inputs", "an object"]),
        ("inputs", "{\"sample\": \"x\"}", ["inputs.level is missing"]),
        ("inputs", "{\"sample\": \"x\", \"level\": \"x\"}", ["inputs", "\"x\" twice"]),
        ("inputs", "{\"sample\": \"season\", \"level\": \"t\"}", ["inputs", "\"season\" twice"]),
        ("inputs", "{\"sample\": \"x\", \"level\": \"season\"}", ["inputs", "\"season\" twice"]),
        ("inputs", "{\"sample\": \"x\", \"level\": \"t\", \"text\": \"c\"}", ["inputs.text", "not known"]),
        ("output", "[]", ["output", "a name"]),
        ("prediction", nil, ["prediction is missing", "\"velocity\""]),
        ("prediction", "\"score\"", ["prediction", "found \"score\"", "\"epsilon\""]),
        ("noise", nil, ["noise is missing"]), ("noise", "{}", ["noise.convention is missing", "\"sigma\""]),
        ("noise", "{\"convention\": \"log\"}", ["noise.convention", "\"log\"", "\"timestep\""]),
        ("noise", "{\"convention\": \"sigma\", \"minimum\": 1}", ["noise.maximum is missing"]),
        (
            "noise", "{\"convention\": \"sigma\", \"minimum\": 2, \"maximum\": 1}",
            ["noise.maximum", "found 1", "minimum, 2"]
        ),
        ("noise", "{\"convention\": \"sigma\", \"minimum\": 0, \"maximum\": 1}", ["noise.minimum", "found 0"]),
        ("noise", "{\"convention\": \"flow\", \"rho\": 7}", ["noise.rho", "not known", "timeScale"]),
        ("noise", "{\"convention\": \"flow\", \"shift\": 0}", ["noise.shift", "found 0"]),
        ("noise", "{\"convention\": \"timestep\", \"steps\": 1}", ["noise.steps", "found 1", "2 to 100000"]),
        ("noise", "{\"convention\": \"timestep\", \"betaEnd\": 0.00001}", ["noise.betaEnd"]),
        ("noise", "{\"convention\": \"timestep\", \"betaSchedule\": \"x\"}", ["noise.betaSchedule", "scaledLinear"]),
        ("channels", nil, ["channels is missing"]), ("channels", "2", ["channels", "found 2", "grey"]),
        ("channels", "4", ["channels", "found 4"]), ("channels", "true", ["channels", "found true"]),
        ("tile", nil, ["tile is missing"]), ("tile", "15", ["tile", "found 15", "16 to 4096"]),
        ("tile", "1000000000000", ["tile", "found 1000000000000"]),
        ("alignment", "7", ["alignment", "found 7", "divisor of tile, 96"]),
        ("alignment", "0", ["alignment", "found 0", "1 to 96"]),
        ("overlap", "49", ["overlap", "found 49", "0 to 48"]), ("overlap", "-1", ["overlap", "found -1"]),
        ("range", "[1, -1]", ["range", "[1, -1]", "larger one last"]), ("range", "[0, 0]", ["range"]),
        ("range", "[0]", ["range", "found [0]"]), ("range", "[0, 1e300]", ["range"]),
        ("range", "7", ["range", "found 7"]),
        ("sampler", "\"magic\"", ["sampler", "magic", "\"consistency\""]),
        ("steps", "0", ["steps", "found 0", "1 to 1000"]),
        ("guidance", "31", ["guidance", "found 31", "0.0 to 30.0"]), ("start", "0", ["start", "found 0"]),
        ("conditions", "[]", ["conditions", "an object"]),
        ("conditions", "{\"c\": 1}", ["conditions.c", "found 1", "an object"]),
        ("conditions", "{\"c\": {\"valeu\": 1}}", ["conditions.c.valeu", "not known"]),
        ("conditions", "{\"c\": {\"value\": 1, \"default\": 2}}", ["conditions.c.default", "found 2", "value"]),
        ("conditions", "{\"c\": {\"value\": \"one\"}}", ["conditions.c.value", "\"one\"", "a number"]),
        ("conditions", "{\"c\": {\"value\": []}}", ["conditions.c.value", "1 to 65536"]),
        ("conditions", "{\"c\": {\"value\": [1, [2]]}}", ["conditions.c.value"]),
        ("conditions", "{\"c\": {\"default\": 3, \"maximum\": 2}}", ["conditions.c.default", "found 3", "to 2.0"]),
        ("conditions", "{\"c\": {\"minimum\": 3, \"maximum\": 2}}", ["conditions.c.maximum", "found 2"]),
        ("conditions", "{\"c\": {\"shape\": [0]}}", ["conditions.c.shape"]),
        (
            "conditions", "{\"c\": {\"shape\": [65536, 65536, 65536, 65536, 65536]}}",
            ["conditions.c.shape", "65536 numbers"]
        ),
        ("conditions", "{\"\": {}}", ["conditions", "names of inputs"]),
        ("conditions", "{}", ["guidance", "found 2", "unconditional"]),
    ]

    @Test(arguments: refusals)
    func `a field that cannot be is refused by name`(field: String, value: String?, parts: [String]) {
        let error = #expect(throws: ModelError.self) { try Self.parse(Self.replacing(field, by: value)) }
        #expect(error?.path == "folder/choir.json")
        for part in parts { #expect(error?.message.contains(part) == true, "\(error?.message ?? "")") }
    }

    @Test func `predicted noise is refused where a painting starts without signal`() {
        for noise in ["{\"convention\": \"flow\"}", "{\"convention\": \"timestep\", \"zeroTerminalSignal\": true}"] {
            let text = Self.replacing("noise", by: noise).replacing("\"clean\"", "\"epsilon\"")
            #expect(throws: ModelError.self) { try Self.parse(text) }
            #expect(throws: Never.self) { try Self.parse(text.replacing("\"epsilon\"", "\"velocity\"")) }
        }
    }

    @Test func `a text that is no object of JSON is refused`() {
        for text in ["", "{", "[]", "7", "{\"file\": \"a.onnx\"", "\u{0}", String(repeating: "[", count: 100_000)] {
            let error = #expect(throws: ModelError.self) { try Self.parse(text) }
            #expect(error?.path == "folder/choir.json")
        }
    }

    @Test func `a folder without a manifest or without the file that it names is refused`() throws {
        let folder = NSTemporaryDirectory() + "choir-manifest-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func expectRefusal(_ parts: [String]) {
            let error = #expect(throws: ModelError.self) { try DenoiserManifest(directory: folder) }
            #expect(error?.path == folder + "/choir.json")
            for part in parts { #expect(error?.message.contains(part) == true, "\(error?.message ?? "")") }
        }
        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        expectRefusal(["No such file or directory"])
        try write(Self.whole, "choir.json")
        expectRefusal(["file", "model.onnx", "no such file"])
        try FileManager.default.createDirectory(atPath: folder + "/model.onnx", withIntermediateDirectories: true)
        expectRefusal(["file", "model.onnx", "a folder"])
        try write(Self.least, "choir.json")
        try write("<net/>", "a.xml")
        expectRefusal(["file", "a.xml", "no such file at \(folder)/a.bin"])
        try write("", "a.bin")
        #expect(try DenoiserManifest(directory: folder + "/").file == "a.xml")
    }
}

extension String {
    fileprivate func replacing(_ text: String, _ other: String) -> String {
        replacingOccurrences(of: text, with: other)
    }
}
