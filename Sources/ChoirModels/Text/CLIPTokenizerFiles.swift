import ChoirTensor
import Foundation

/// What the files of a tokenizer say, read and checked one by one.
struct CLIPTokenizerFiles {
    struct AddedToken {
        let id: Int
        let content: String
        let isNormalized: Bool
    }

    let path: String
    private(set) var vocabulary: [String: Int] = [:]
    private(set) var merges: [(String, String)] = []
    private(set) var mergesPath = ""
    private(set) var suffix = CLIPVocabulary.suffix
    private(set) var addedTokens: [AddedToken] = []
    private(set) var start = CLIPVocabulary.start
    private(set) var end = CLIPVocabulary.end
    private(set) var pad = CLIPVocabulary.end
    private(set) var unknown = CLIPVocabulary.end
    private(set) var maximumLength = 77

    /// No file of a tokenizer is longer, in bytes; CLIP's `tokenizer.json` has 3.6 million.
    private static let maximumByteCount = 64 << 20
    /// No id is higher; CLIP has 49 408.
    private static let maximumID = (1 << 20) - 1
    /// No sequence is longer; CLIP's has 77, though ComfyUI's files for it say 8192.
    private static let maximumLength = 8192

    init(directory: String) throws(ModelError) {
        path = directory
        func file(_ name: String) -> String? {
            let path = directory + "/" + name
            return FileManager.default.fileExists(atPath: path) ? path : nil
        }
        var padding: String?
        var serializedTokens: [AddedToken] = []
        if let path = file("tokenizer.json") {
            let contents = try Self.decode(Serialized.self, path)
            try readModel(contents.model, path)
            serializedTokens = try (contents.addedTokens ?? []).map { token throws(ModelError) in
                try Self.added(token.id, token, "added_tokens", path)
            }
            padding = contents.padding?.token
        } else if let path = file("merges.txt") {
            merges = try Self.readMerges(path)
            mergesPath = path
            // Beside settings it is missed: the folder of a checkpoint then has lost its vocabulary.
            if let path = file("vocab.json") {
                vocabulary = try Self.decode([String: Int].self, path)
            } else if file("tokenizer_config.json") == nil, file("special_tokens_map.json") == nil {
                vocabulary = CLIPVocabulary.ids(merges)
                serializedTokens = [start, end].map { token in
                    AddedToken(id: vocabulary[token] ?? 0, content: token, isNormalized: true)
                }
            } else {
                throw ModelError(directory, "vocab.json is missing, expected it beside merges.txt")
            }
        } else {
            throw ModelError(directory, "expected merges.txt and vocab.json, or tokenizer.json")
        }
        try checkVocabulary(file("tokenizer.json") ?? directory + "/vocab.json")

        let settings = try file("tokenizer_config.json").map { path throws(ModelError) in
            (path, try Self.decode(Settings.self, path))
        }
        if let (path, settings) = settings {
            try take(settings.tokens)
            try take(settings.maximumLength, path)
        }
        // As in transformers: what the configuration says of added tokens goes before what older files say.
        if let (path, settings) = settings, let tokens = settings.addedTokens {
            for (key, token) in tokens.sorted(by: { $0.key < $1.key }) {
                addedTokens.append(try Self.added(Int(key), token, "added_tokens_decoder", path))
            }
        } else {
            if let path = file("special_tokens_map.json") {
                let tokens = try Self.decode(SpecialTokens.self, path)
                try take(tokens)
                addedTokens += tokens.all.compactMap { token in
                    guard let isNormalized = token.isNormalized, let id = vocabulary[token.content] else { return nil }
                    return AddedToken(id: id, content: token.content, isNormalized: isNormalized)
                }
            }
            addedTokens += serializedTokens.filter { token in
                !addedTokens.contains { $0.content == token.content }
            }
        }
        // A file alone names no token for padding. One that lists "!" as special has it for that.
        if settings == nil, file("special_tokens_map.json") == nil {
            pad = padding ?? (serializedTokens.contains { $0.content == "!" && $0.id == 0 } ? "!" : end)
        }
    }

    /// Replaces what the settings of other checkpoints may say otherwise: OpenCLIP's encoders, and no others, are
    /// padded with `!`, which is then no word.
    mutating func fit(_ encoder: CLIPTextConfiguration) {
        let isOpenCLIP = encoder.activation == .gelu
        pad = isOpenCLIP ? "!" : end
        if !isOpenCLIP { addedTokens.removeAll { $0.content == "!" } }
        maximumLength = encoder.maximumLength
    }

    private mutating func take(_ tokens: SpecialTokens) throws(ModelError) {
        start = tokens.start?.content ?? start
        end = tokens.end?.content ?? end
        pad = tokens.pad?.content ?? pad
        unknown = tokens.unknown?.content ?? unknown
    }

    private mutating func take(_ length: Double?, _ path: String) throws(ModelError) {
        // transformers writes 10^30 for a length that is not set.
        guard let length, length < 1e9 else { return }
        guard (3...Double(Self.maximumLength)).contains(length), length == length.rounded() else {
            throw ModelError(
                path, "model_max_length: found \(length), expected an integer from 3 to \(Self.maximumLength)")
        }
        maximumLength = Int(length)
    }

    private mutating func readModel(_ model: Serialized.Model, _ path: String) throws(ModelError) {
        guard model.type ?? "BPE" == "BPE" else {
            throw ModelError(path, "model.type: found \"\(model.type?.prefix(40) ?? "")\", expected \"BPE\"")
        }
        vocabulary = model.vocabulary
        merges = model.merges.map { ($0.first, $0.second) }
        mergesPath = path
        suffix = model.suffix ?? suffix
        unknown = model.unknown ?? unknown
    }

    private func checkVocabulary(_ path: String) throws(ModelError) {
        guard !vocabulary.isEmpty else { throw ModelError(path, "found an empty vocabulary") }
        for (token, id) in vocabulary where !(0...Self.maximumID).contains(id) {
            throw ModelError(
                path,
                "the token \"\(token.prefix(40))\" has the id \(id), expected an integer from 0 to \(Self.maximumID)")
        }
    }

    private static func added(
        _ id: Int?, _ token: Token, _ field: String, _ path: String
    ) throws(ModelError) -> AddedToken {
        guard let id, (0...maximumID).contains(id), !token.content.isEmpty else {
            throw ModelError(
                path, "\(field): found an entry without content or an id from 0 to \(maximumID), expected both")
        }
        return AddedToken(id: id, content: token.content, isNormalized: token.isNormalized ?? false)
    }

    /// A line for each merge, two tokens with a blank between them; the first line may be a comment with a version.
    private static func readMerges(_ path: String) throws(ModelError) -> [(String, String)] {
        guard let text = String(bytes: try contents(path), encoding: .utf8) else {
            throw ModelError(path, "expected UTF-8 text")
        }
        var merges: [(String, String)] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            if line.isEmpty || line.hasPrefix("#version") { continue }
            guard let pair = Pair(line) else {
                throw ModelError(
                    path,
                    "line \(index + 1): found \"\(line.prefix(60))\", expected two tokens with a blank between them")
            }
            merges.append((pair.first, pair.second))
        }
        return merges
    }

    private static func contents(_ path: String) throws(ModelError) -> [UInt8] {
        let mapping: MappedFile
        do {
            mapping = try MappedFile(path: path)
        } catch {
            throw ModelError(path, error.reason)
        }
        guard mapping.bytes.count <= maximumByteCount else {
            throw ModelError(path, "found \(mapping.bytes.count) bytes, expected at most \(maximumByteCount)")
        }
        return [UInt8](mapping.bytes)
    }

    private static func decode<Contents: Decodable>(
        _ type: Contents.Type, _ path: String
    ) throws(ModelError) -> Contents {
        let data = Data(try contents(path))
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            let reason = (error as? DecodingError)?.sentence ?? "\(error)"
            throw ModelError(path, "cannot be read as a tokenizer's file: \(reason)")
        }
    }
}
