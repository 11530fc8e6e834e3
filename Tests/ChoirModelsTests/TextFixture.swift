import ChoirGraph
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
        /// With CLIP's own vocabulary in place of the small one.
        let published: [Int]

        private enum CodingKeys: String, CodingKey {
            case text
            case clip = "vit-l"
            case openCLIP = "bigg"
            case published = "clip"
        }
    }

    static func path(_ name: String) throws -> String {
        let folder = try #require(Bundle.module.resourceURL)
        return folder.appendingPathComponent("Fixtures/Text/\(name)").path
    }

    /// The folder with the merges of CLIP's own vocabulary.
    static func vocabulary() throws -> String {
        try #require(SingleFileConventions.published.vocabulary, "make setup installs it")
    }

    static func tokenizer(_ name: String) throws -> CLIPTokenizer { try CLIPTokenizer(directory: path(name)) }

    static func tokens() throws -> [Tokens] {
        try JSONDecoder().decode([Tokens].self, from: Data(contentsOf: URL(fileURLWithPath: path("tokens.json"))))
    }

    /// The configuration of one of the tiny encoders, with some fields replaced.
    static func configuration(
        _ name: String, replacing replaced: [String: JSONValue] = [:]
    ) throws -> CLIPTextConfiguration {
        let data = try Data(contentsOf: URL(fileURLWithPath: path("encoders.json")))
        let all = try JSONDecoder().decode([String: [String: JSONValue]].self, from: data)
        let fields = try #require(all[name]).merging(replaced) { $1 }
        return try CLIPTextConfiguration(ConfigurationFields(path: "\(name)/config.json", fields: fields))
    }

    /// The weights of one of the tiny encoders, which one file holds together.
    static func weights(_ name: String) throws -> WeightStore {
        let file = try SafetensorsFile(path: path("encoders.safetensors"))
        return try WeightStore(files: [file], naming: WeightNaming { [WeightSource("\(name)/\($0)")] })
    }

    /// The largest difference, as a part of the largest magnitude expected.
    static func relativeDifference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count else { return .infinity }
        let magnitude = expected.map(abs).max() ?? 0
        return (zip(found, expected).map { abs($0 - $1) }.max() ?? 0) / magnitude
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
