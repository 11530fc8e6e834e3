import ChoirModels
import ChoirTensor
import Foundation
import Testing

/// What `Scripts/fixtures/text.py` recorded from transformers and diffusers.
enum TextFixture {
    struct Tokens: Decodable {
        let text: String
        let clip: [Int]
        let openCLIP: [Int]?

        private enum CodingKeys: String, CodingKey {
            case text
            case clip = "vit-l"
            case openCLIP = "bigg"
        }
    }

    static func path(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL)
        return folder.appendingPathComponent("Fixtures/Text/\(name)").path
    }

    static func tokenizer(_ name: String) throws -> CLIPTokenizer { try CLIPTokenizer(directory: path(name)) }

    static func tokens() throws -> [Tokens] {
        try JSONDecoder().decode([Tokens].self, from: Data(contentsOf: URL(fileURLWithPath: path("tokens.json"))))
    }

    /// A copy of a folder of the fixture with some files replaced or, where nil, removed.
    static func folder(_ name: String, replacing files: [String: [UInt8]?]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("choir-\(UUID())")
        try FileManager.default.copyItem(atPath: path(name), toPath: folder.path)
        for (file, contents) in files {
            let url = folder.appendingPathComponent(file)
            try? FileManager.default.removeItem(at: url)
            if let contents { try Data(contents).write(to: url) }
        }
        return folder.path
    }
}
