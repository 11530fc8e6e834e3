import ChoirModels
import ChoirTensor
import Foundation
import Testing

/// The checkpoints that `Scripts/fixtures/checkpoint.py` made.
enum CheckpointFixture {
    /// The sizes that the tiny networks share and shapes do not tell.
    static let conventions = SingleFileConventions(groups: 2, heads: 2, headWidth: 4, timeIDWidth: 4)

    static func directory() throws -> String {
        try #require(Bundle.module.resourcePath) + "/Fixtures/Checkpoint"
    }

    static func single(_ kind: String) throws -> Checkpoint {
        try Checkpoint(path: "\(directory())/\(kind).safetensors", conventions: conventions)
    }

    /// The shape and digest of each weight of each part.
    struct Digest: Decodable {
        let shape: [Int]
        let digest: Double

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            shape = try container.decode([Int].self)
            digest = try container.decode(Double.self)
        }
    }

    static func digests(_ kind: String) throws -> [String: [String: Digest]] {
        let json = try Data(contentsOf: URL(fileURLWithPath: "\(directory())/\(kind).json"))
        return try JSONDecoder().decode([String: [String: Digest]].self, from: json)
    }
}

/// A copy of a checkpoint that a test may damage; it disappears with this object.
final class CheckpointScratch {
    let path: String

    /// SDXL base as a folder: its UNet in shards, its other parts whole.
    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "choir-models-\(UUID().uuidString)").path
        try FileManager.default.copyItem(atPath: CheckpointFixture.directory() + "/sdxl", toPath: path)
        try FileManager.default.copyItem(atPath: UNetFixture("sdxl").directory, toPath: path + "/unet")
        for tokenizer in ["tokenizer", "tokenizer_2"] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(tokenizer)", withIntermediateDirectories: false)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    /// Replaces text in a file, which must be there.
    func replace(_ old: String, by new: String, in name: String) throws {
        let text = try text(name)
        try #require(text.contains(old))
        try write(text.replacing(old, with: new), to: name)
    }
}

/// Writes tensors of a file again, some of them under other names or with other shapes.
func rewrite(
    _ file: SafetensorsFile, metadata: [String: String] = [:], to path: String,
    _ change: (inout [String: SafetensorsWriter.Content]) throws -> Void
) throws {
    var tensors: [String: SafetensorsWriter.Content] = [:]
    for name in file.names { tensors[name] = .float32(try file.floats(name)) }
    try change(&tensors)
    try SafetensorsWriter.write(tensors: tensors, metadata: metadata, to: path)
}

/// What a body says when it refuses.
func refusal(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "nothing"
    } catch {
        return "\(error)"
    }
}
