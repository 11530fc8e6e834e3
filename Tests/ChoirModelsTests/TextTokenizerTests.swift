import ChoirModels
import Foundation
import Testing

@Suite("CLIP tokenizer")
struct TextTokenizerTests {
    @Test("Every text becomes the ids of transformers", arguments: ["vit-l", "vit-l-json", "bigg", "bigg-json"])
    func parity(name: String) throws {
        let tokenizer = try TextFixture.tokenizer(name)
        let cases = try TextFixture.tokens()
        #expect(cases.count > 320)
        for expected in cases {
            let ids = name.hasPrefix("bigg") ? expected.openCLIP ?? expected.clip : expected.clip
            let found = tokenizer.tokens(of: expected.text)
            #expect(found == ids, "\(expected.text.debugDescription.prefix(200))")
        }
    }

    @Test("CLIP's own vocabulary follows from its merges, and gives the ids of transformers")
    func publishedVocabulary() throws {
        let tokenizer = try CLIPTokenizer(directory: TextFixture.vocabulary())
        #expect(tokenizer.startToken == 49_406 && tokenizer.endToken == 49_407 && tokenizer.tokenCount == 49_408)
        #expect(tokenizer.padToken == tokenizer.endToken && tokenizer.maximumLength == 77)
        for expected in try TextFixture.tokens() {
            let found = tokenizer.tokens(of: expected.text)
            #expect(found == expected.published, "\(expected.text.debugDescription.prefix(200))")
        }
        let openCLIP = try CLIPTokenizer(directory: TextFixture.vocabulary(), for: TextFixture.configuration("bigg"))
        #expect(openCLIP.padToken == 0 && openCLIP.tokens(of: "wow!") == tokenizer.tokens(of: "wow") + [0])
    }

    @Test("A vocabulary serves every encoder, whatever its settings say of padding and length")
    func vocabulary() throws {
        let folders = try ["vit-l", "vit-l-json", "bigg", "bigg-json"].map { try TextFixture.path($0) }
        // As ComfyUI's, which has the length of another network.
        let map = """
            {"bos_token": {"content": "<|startoftext|>", "normalized": true}, "eos_token": {"content": "<|endoftext|>",
            "normalized": true}, "unk_token": {"content": "<|endoftext|>", "normalized": true},
            "pad_token": "<|endoftext|>"}
            """
        let comfy = try TextFixture.folder(
            "vit-l",
            replacing: [
                "tokenizer_config.json": [UInt8](#"{"model_max_length": 8192, "pad_token": "<|endoftext|>"}"#.utf8),
                "special_tokens_map.json": [UInt8](map.utf8),
            ])
        defer { try? FileManager.default.removeItem(atPath: comfy) }
        for name in ["vit-l", "bigg"] {
            let encoder = try TextFixture.configuration(name)
            let expected = try TextFixture.tokenizer(name)
            for folder in folders + [comfy] {
                let tokenizer = try CLIPTokenizer(directory: folder, for: encoder)
                for text in try TextFixture.tokens().map(\.text) {
                    #expect(tokenizer.sequence(of: text) == expected.sequence(of: text), "\(folder)")
                }
            }
        }
    }

    @Test("A sequence is cut, ended and padded as its encoder was trained")
    func sequences() throws {
        let (clip, openCLIP) = (try TextFixture.tokenizer("vit-l"), try TextFixture.tokenizer("bigg"))
        #expect(clip.startToken == 662 && clip.endToken == 663 && clip.tokenCount == 664)
        #expect(clip.padToken == clip.endToken)
        #expect(openCLIP.padToken == 0)
        #expect(try TextFixture.tokenizer("bigg-json").padToken == 0)
        #expect(try TextFixture.tokenizer("vit-l-json").padToken == clip.endToken)
        for tokenizer in [clip, openCLIP] {
            let short = tokenizer.sequence(of: "a cat")
            let ids = tokenizer.tokens(of: "a cat")
            #expect(short.count == 77)
            #expect(Array(short.prefix(ids.count + 2)) == [tokenizer.startToken] + ids + [tokenizer.endToken])
            #expect(short.dropFirst(ids.count + 2).allSatisfy { $0 == tokenizer.padToken })
            let long = tokenizer.sequence(of: String(repeating: "a ", count: 200))
            #expect(long.count == 77 && long.last == tokenizer.endToken)
        }
    }

    @Test("Older files name the padding in the map of special tokens, which goes before the configuration")
    func specialTokensMap() throws {
        let settings = #"{"pad_token": "<|endoftext|>", "model_max_length": 77}"#
        let map = """
            {"bos_token": {"content": "<|startoftext|>", "normalized": true}, "pad_token": "!", "eos_token":
            {"content": "<|endoftext|>", "normalized": true}, "unk_token": {"content": "<|endoftext|>"}}
            """
        let folder = try TextFixture.folder(
            "bigg",
            replacing: ["tokenizer_config.json": [UInt8](settings.utf8), "special_tokens_map.json": [UInt8](map.utf8)])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let tokenizer = try CLIPTokenizer(directory: folder)
        #expect(tokenizer.padToken == 0)
        let expected = try TextFixture.tokens().first { $0.text == "wow!!! ..." }
        #expect(tokenizer.tokens(of: "wow!!! ...") == expected?.openCLIP)
    }

    @Test("A length that is not set is CLIP's, and files with carriage returns are read")
    func lengths() throws {
        let merges = try String(contentsOfFile: TextFixture.path("vit-l/merges.txt"), encoding: .utf8)
        let folder = try TextFixture.folder(
            "vit-l",
            replacing: [
                "tokenizer_config.json": [UInt8](#"{"model_max_length": 1000000000000000019884624838656}"#.utf8),
                "merges.txt": [UInt8](merges.replacing("\n", with: "\r\n").utf8),
            ])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let tokenizer = try CLIPTokenizer(directory: folder)
        #expect(tokenizer.maximumLength == 77)
        #expect(try tokenizer.tokens(of: "the nebula") == TextFixture.tokenizer("vit-l").tokens(of: "the nebula"))
    }

    @Test(
        "A file that does not fit is refused by name",
        arguments: [
            ("merges.txt", Optional("#version: 0.2\nzz yy\n"), "merges.txt: merge 1, \"zz yy\""),
            ("merges.txt", "a b c\n", "line 1: found \"a b c\""), ("merges.txt", nil, "expected merges.txt and vocab"),
            ("vocab.json", nil, "vocab.json is missing"), ("vocab.json", "{}", "empty vocabulary"),
            ("vocab.json", "[1]", "cannot be read"),
            ("vocab.json", #"{"a": -1}"#, "has the id -1"), ("vocab.json", #"{"a": 99999999999}"#, "has the id"),
            ("vocab.json", #"{"a": 1e40}"#, "vocab.json"), ("vocab.json", #"{"a": 0}"#, "merges.txt: merge 1"),
            ("tokenizer_config.json", #"{"bos_token": "x y"}"#, "bos_token: found \"x y\""),
            ("tokenizer_config.json", #"{"model_max_length": 2}"#, "model_max_length: found 2"),
            ("tokenizer_config.json", #"{"model_max_length": 8193}"#, "model_max_length"),
            ("tokenizer_config.json", #"{"pad_token": "nothing"}"#, "pad_token: found \"nothing\""),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#, "added_tokens_decoder"),
            ("tokenizer.json", #"{"model": {"type": "Unigram", "vocab": {"a": 0}, "merges": []}}"#, "model.type"),
            ("tokenizer.json", #"{"model": {"vocab": {"a": 0}, "merges": [["a"]]}}"#, "merges"),
            ("tokenizer.json", "{", "tokenizer.json"),
        ] as [(String, String?, String)]
    )
    func refusals(file: String, contents: String?, message: String) throws {
        let folder = try TextFixture.folder("vit-l", replacing: [file: contents.map { [UInt8]($0.utf8) }])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = #expect(throws: ModelError.self) { try CLIPTokenizer(directory: folder) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.path.hasPrefix(folder) == true)
    }

    @Test("Files damaged or cut anywhere give a tokenizer or an error", arguments: ["vit-l", "bigg-json"])
    func damaged(name: String) throws {
        var generator = SystemRandomNumberGenerator()
        var refused = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: TextFixture.path(name)) {
            let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: TextFixture.path("\(name)/\(file)"))))
            for round in 0..<40 {
                var damaged = bytes
                if round % 4 == 0 {
                    damaged = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator)))
                } else {
                    for _ in 0..<(round % 4) {
                        let index = Int.random(in: 0..<damaged.count, using: &generator)
                        damaged[index] = UInt8.random(in: 0...255, using: &generator)
                    }
                }
                let folder = try TextFixture.folder(name, replacing: [file: damaged])
                defer { try? FileManager.default.removeItem(atPath: folder) }
                do {
                    let tokenizer = try CLIPTokenizer(directory: folder)
                    #expect(tokenizer.sequence(of: "a photo of 猫, don't").count == tokenizer.maximumLength)
                } catch {
                    #expect(error.path.hasPrefix(folder))
                    refused += 1
                }
            }
        }
        #expect(refused > 10)
    }
}
