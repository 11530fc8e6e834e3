import Foundation
import Testing

/// Folders of models with something wrong in them.
@Suite struct ModelFolderTests {
    static let embedded = Program.buildDirectory + "/choir_ChoirModels.resources/Cosmos"

    /// A scratch directory with a folder `model`, whose files are links to those of the embedded model.
    private func folder() throws -> Scratch {
        let scratch = Scratch()
        let files = FileManager.default
        try files.createDirectory(atPath: scratch.file("model"), withIntermediateDirectories: true)
        for name in ["config.json", "forms.safetensors", "model.safetensors", "words.safetensors", "words.txt"] {
            try files.createSymbolicLink(
                atPath: scratch.file("model/" + name), withDestinationPath: Self.embedded + "/" + name)
        }
        return scratch
    }

    private func replace(_ name: String, in scratch: Scratch, with data: Data) throws {
        try FileManager.default.removeItem(atPath: scratch.file("model/" + name))
        try data.write(to: URL(fileURLWithPath: scratch.file("model/" + name)))
    }

    private func expectRefusal(_ scratch: Scratch, saying parts: [String]) async throws {
        try scratch.write("a good picture", to: "choir.png")
        try await ChoirCommandTests.expectRefusal(
            ["generate", "nebula", "--size", "64x64", "--model", "model"], in: scratch, code: 65, saying: parts)
    }

    @Test func `a model in a folder paints as the embedded one, and resumes under its name`() async throws {
        let scratch = try folder()
        let arguments = ["nebula", "--size", "64x64", "--steps", "1"]
        let embedded = try await paintedHash(arguments, in: scratch)
        #expect(try await paintedHash(arguments + ["--model", "model/", "--run", "r"], in: scratch) == embedded)
        let inspected = try await choir("inspect", "choir.png", in: scratch)
        #expect(inspected.output.contains("Model: model,"))
        #expect(try await choir("resume", "r", "--quiet", in: scratch).code == 0)
    }

    @Test(arguments: ["config.json", "forms.safetensors", "model.safetensors", "words.safetensors", "words.txt"])
    func `a missing file is named`(name: String) async throws {
        let scratch = try folder()
        try FileManager.default.removeItem(atPath: scratch.file("model/" + name))
        try await expectRefusal(scratch, saying: ["model/" + name])
    }

    static let fields: [(String, [any Sendable])] = [
        ("network.widths", [[64, 128], [0, 128, 256], [64, 128, 1 << 40], [-64, 128, 256]]),
        ("network.blocks", [[1, 2], [1, 0, 3], [1, 2, 5000]]),
        ("network.embedding", [0, -1, 4097]), ("network.text", [0, 4097]), ("network.fine", [0, 4097]),
        ("network.heads", [0, 3, 4097]), ("network.scales", [0, 1, 4]), ("network.unshuffle", [0, 8]),
        ("network.cell", [0, 17]), ("network.frequencies", [0, 4097]),
        ("network.highestFrequency", [0.0, -1.0, 1e300]), ("scaleFactor", [0, 2]),
        ("picture.mean", [-2.0, 1e300]), ("picture.deviation", [0.0, -0.1, 1e300, 1e-300]),
        ("picture.detail", [0.0, -0.1, 1e300, 1e-300]),
        ("reductions", [[1, 4], [2, 8, 16], [1, 8, 16], [1, 4, 12], [1, 4, 4], [0, 0, 0]]),
        ("network.heads", ["four"]), ("painting.scales", [[Int]()]), ("painting.composedSide", [0, 1 << 40]),
        ("painting.black", [-1.5, 0.5, 1e300]),
        ("forms.side", [0, 1, 257]), ("forms.until", [-0.1, 1.1]), ("forms.kinds", [[Int]()]),
        ("vocabulary", [[String](repeating: "star", count: 4097)]),
        ("objects", [[String](repeating: "star", count: 4097)]),
    ]

    @Test(arguments: fields.indices)
    func `a number of the configuration that is out of its range is named`(index: Int) async throws {
        let (field, values) = Self.fields[index]
        let good = try Data(contentsOf: URL(fileURLWithPath: Self.embedded + "/config.json"))
        for value in values {
            let scratch = try folder()
            var configuration = try #require(try JSONSerialization.jsonObject(with: good) as? [String: Any])
            let names = field.split(separator: ".").map(String.init)
            if names.count == 2 {
                var group = try #require(configuration[names[0]] as? [String: Any])
                group[names[1]] = value
                configuration[names[0]] = group
            } else {
                configuration[field] = value
            }
            try replace("config.json", in: scratch, with: JSONSerialization.data(withJSONObject: configuration))
            try await expectRefusal(scratch, saying: ["model/config.json", field])
        }
    }

    @Test func `a configuration that is none is refused by its field`() async throws {
        let good = try String(contentsOfFile: Self.embedded + "/config.json", encoding: .utf8)
        for (text, part) in [
            ("", "JSON"), ("{}", "version is missing"), ("{\"version\": 2}", "network is missing"),
            ("{\"version\": 2, \"network\": {}}", "network.widths is missing"),
            (good.replacingOccurrences(of: "\"cell\": 16", with: "\"cell\": 16.5"), "a number"),
        ] {
            let scratch = try folder()
            try replace("config.json", in: scratch, with: Data(text.utf8))
            try await expectRefusal(scratch, saying: ["model/config.json", part])
        }
    }

    @Test(arguments: [("steps", "0"), ("steps", "1001"), ("guidance", "31"), ("start", "0"), ("shift", "1e300")])
    func `a setting of a scale that is out of its range is named`(field: String, value: String) async throws {
        let scratch = try folder()
        let good = try String(contentsOfFile: Self.embedded + "/config.json", encoding: .utf8)
        let setting = try Regex("\"\(field)\": [0-9.]+")
        let bad = good.replacing(setting, with: "\"\(field)\": \(value)", maxReplacements: 1)
        #expect(bad != good)
        try replace("config.json", in: scratch, with: Data(bad.utf8))
        try await expectRefusal(scratch, saying: ["model/config.json", "painting.scales.0.refining.\(field)"])
    }

    @Test func `composing begins with pure noise`() async throws {
        let scratch = try folder()
        let good = try String(contentsOfFile: Self.embedded + "/config.json", encoding: .utf8)
        let setting = try Regex("(\"composing\": [^}]*\"start\"): 1.0", as: (Substring, Substring).self)
        let bad = good.replacing(setting, maxReplacements: 1) { "\($0.1): 0.5" }
        #expect(bad != good)
        try replace("config.json", in: scratch, with: Data(bad.utf8))
        try await expectRefusal(scratch, saying: ["model/config.json", "painting.scales.0.composing.start", "0.5"])
    }

    @Test(arguments: ["\"eulr\"", "3"])
    func `a step rule of a scale that is none is named`(value: String) async throws {
        let scratch = try folder()
        let good = try String(contentsOfFile: Self.embedded + "/config.json", encoding: .utf8)
        let bad = good.replacing(#/"sampler": "[^"]+"/#, with: "\"sampler\": \(value)", maxReplacements: 1)
        #expect(bad != good)
        try replace("config.json", in: scratch, with: Data(bad.utf8))
        try await expectRefusal(scratch, saying: ["model/config.json", "painting.scales.0.refining.sampler"])
    }

    @Test func `a network of other sizes than its weights is refused by the weight`() async throws {
        let scratch = try folder()
        let good = try String(contentsOfFile: Self.embedded + "/config.json", encoding: .utf8)
        let bad = good.replacing(#/"embedding": *\d+/#, with: "\"embedding\": 72")
        #expect(bad != good)
        try replace("config.json", in: scratch, with: Data(bad.utf8))
        try await expectRefusal(scratch, saying: ["model/model.safetensors", "time.", "72"])
    }

    /// The start of the embedded weights up to the end of the header, and the whole file's length; a changed header is
    /// as long as it was.
    private func weights(changing change: (String) -> String = { $0 }) throws -> (start: Data, whole: Int) {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: Self.embedded + "/model.safetensors"))
        defer { try? file.close() }
        let length = try #require(try file.read(upToCount: 8))
        let count = length.reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = String(decoding: try #require(try file.read(upToCount: count)), as: UTF8.self)
        let changed = change(header)
        try #require(changed.utf8.count == header.utf8.count)
        return (length + Data(changed.utf8), Int(try file.seekToEnd()))
    }

    /// Weights are all zero: nothing gets as far as reading them.
    private func replaceWeights(in scratch: Scratch, header: Data, length: Int) throws {
        try replace("model.safetensors", in: scratch, with: header)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.file("model/model.safetensors")))
        try file.truncate(atOffset: UInt64(length))
        try file.close()
    }

    @Test func `a tensor of another shape is named`() async throws {
        let scratch = try folder()
        let (header, whole) = try weights { header in
            // The same numbers in another order, in a header of the same length.
            header.replacing(#/("refine1\.weight":\{[^}]*"shape":\[)(\d+),(\d+),/#) { "\($0.1)\($0.3),\($0.2)," }
        }
        try replaceWeights(in: scratch, header: header, length: whole)
        try await expectRefusal(scratch, saying: ["model/model.safetensors", "refine1.weight"])
    }

    @Test func `a tensor of another name is missed`() async throws {
        let scratch = try folder()
        let (header, whole) = try weights { $0.replacing("\"refine1.weight\"", with: "\"refine7.weight\"") }
        try replaceWeights(in: scratch, header: header, length: whole)
        try await expectRefusal(scratch, saying: ["model/model.safetensors", "refine1.weight"])
    }

    @Test func `weights that are cut off are refused`() async throws {
        let (header, whole) = try weights()
        for length in [0, 7, 100, header.count, whole / 2, whole - 1] {
            let scratch = try folder()
            try replaceWeights(in: scratch, header: header.prefix(length), length: length)
            try await expectRefusal(scratch, saying: ["model/model.safetensors"])
        }
    }

    @Test func `a table of words of another width or length is refused`() async throws {
        let scratch = try folder()
        let text = try String(contentsOfFile: Self.embedded + "/words.txt", encoding: .utf8)
        try replace("words.txt", in: scratch, with: Data((text + "oneMoreWord\n").utf8))
        try await expectRefusal(scratch, saying: ["model/words.safetensors", "vectors", "expected"])

        let other = try folder()
        let header = Data(
            #"{"vectors":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]},"weights":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},"nothing":{"dtype":"F32","shape":[3],"data_offsets":[16,28]}}"#
                .utf8)
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
        try replace("words.safetensors", in: other, with: length + header + Data(count: 28))
        try replace("words.txt", in: other, with: Data("nebula\n".utf8))
        try await expectRefusal(other, saying: ["model/words.safetensors", "vectors", "[1, 3]", "[1, "])
    }

    @Test(arguments: [
        (#""side": 32"#, #""side": 31"#, "picture.weight"),
        (
            #""name": "edge-on""#, #""name": "one more", "least": 8, "greatest": 9, "filled": 1}, {"name": "edge-on""#,
            "members"
        ),
    ]) func `forms of other sizes than their file has are refused by the tensor`(
        old: String, new: String, tensor: String
    ) async throws {
        let scratch = try folder()
        let good = try String(contentsOfFile: Self.embedded + "/config.json", encoding: .utf8)
        let bad = good.replacing(old, with: new)
        #expect(bad != good)
        try replace("config.json", in: scratch, with: Data(bad.utf8))
        try await expectRefusal(scratch, saying: ["model/forms.safetensors", tensor])
    }

    @Test func `a model without forms composes by its network alone`() async throws {
        let scratch = try folder()
        let good = try Data(contentsOf: URL(fileURLWithPath: Self.embedded + "/config.json"))
        var configuration = try #require(try JSONSerialization.jsonObject(with: good) as? [String: Any])
        configuration["forms"] = nil
        try replace("config.json", in: scratch, with: JSONSerialization.data(withJSONObject: configuration))
        try FileManager.default.removeItem(atPath: scratch.file("model/forms.safetensors"))
        for (prompt, isLed) in [("galaxy", true), ("nebula", false)] {
            let arguments = [prompt, "--size", "128x128", "--steps", "1"]
            let embedded = try await paintedHash(arguments, in: scratch)
            #expect(try await (paintedHash(arguments + ["--model", "model"], in: scratch) != embedded) == isLed)
        }
    }
}
