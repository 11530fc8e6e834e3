import Foundation

/// CLIP's own vocabulary, which all families of checkpoints share and single files do not bring.
enum CLIPVocabulary {
    static let start = "<|startoftext|>"
    static let end = "<|endoftext|>"
    static let suffix = "</w>"

    /// The folder where `make setup` puts its merges; nil where that was not run.
    static var directory: String? {
        guard let directory = Bundle.module.resourcePath.map({ $0 + "/CLIP" }),
            FileManager.default.fileExists(atPath: directory + "/merges.txt")
        else { return nil }
        return directory
    }

    /// The ids of all tokens, which follow from the merges: the characters for bytes, the same at a word's end, what
    /// the merges make, start and end (Radford et al., arXiv:2103.00020; 49 408 with CLIP's 48 894 merges).
    static func ids(_ merges: [(String, String)]) -> [String: Int] {
        let characters = BytePairEncoding.byteCharacters.sorted().map { String($0) }
        let tokens = characters + characters.map { $0 + suffix } + merges.map { $0 + $1 } + [start, end]
        return Dictionary(zip(tokens, tokens.indices)) { first, _ in first }
    }
}
