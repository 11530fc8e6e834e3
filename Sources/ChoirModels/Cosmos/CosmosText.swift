public import ChoirTensor
import Foundation

/// The words that Cosmos knows, each as a vector and how much it says.
///
/// A prompt is a bag of words: the mean of its words' vectors, weighted. Words that say nothing of deep space weigh
/// next to nothing. The table covers far more words than the model was trained on; see `Training/words.py`.
public struct CosmosText: Sendable {
    let indices: [String: Int]
    let vectors: Tensor
    let weights: Tensor

    /// The vector that stands for no text, `[text]`.
    public let nothing: Tensor

    /// Reads a table.
    ///
    /// - Parameters:
    ///   - words: The path of a text file with a word a line.
    ///   - vectors: A file with `vectors` `[words, text]`, `weights` `[words]` and `nothing` `[text]`.
    ///   - width: The width of a word's vector.
    /// - Throws: `ModelError` or `SafetensorsError` that names the file and what is wrong.
    public init(words path: String, vectors file: SafetensorsFile, width: Int) throws {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ModelError(path, "cannot be read as text, expected a word a line")
        }
        let words = text.split(separator: "\n").map(String.init)
        indices = Dictionary(words.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let expected: [(String, Shape)] = [
            ("vectors", [words.count, width]), ("weights", [words.count]), ("nothing", [width]),
        ]
        for (name, shape) in expected {
            let found = try file.entry(name).shape
            guard found == shape else {
                throw ModelError(file.path, "\(name): found shape \(found), expected \(shape)")
            }
        }
        vectors = try file.floats("vectors")
        weights = try file.floats("weights")
        nothing = try file.floats("nothing")
    }

    /// The vector of a prompt, `[text]`; `nothing` if no word of it is known.
    public func vector(of prompt: String) -> Tensor {
        let width = nothing.shape[0]
        var sum = [Float](repeating: 0, count: width)
        var total: Float = 0
        for word in Self.words(of: prompt) {
            guard let index = index(of: word) else { continue }
            let weight = weights.elements[index]
            total += weight
            for column in 0..<width { sum[column] += weight * vectors.elements[index * width + column] }
        }
        // Words that weigh almost nothing, alone, say nothing.
        guard total > 0.05 else { return nothing }
        return Tensor(shape: [width], elements: sum.map { $0 / total })
    }

    /// Runs of letters, in lower case; hyphens inside of a word belong to it.
    static func words(of prompt: String) -> [String] {
        prompt.lowercased().split { !($0.isLetter || $0 == "-") }
            .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: "-")) }
            .filter { !$0.isEmpty }
    }

    /// A word as it stands, or without the ending of a plural.
    func index(of word: String) -> Int? {
        if let index = indices[word] { return index }
        for (ending, singular) in [("s", ""), ("es", ""), ("ies", "y")] where word.hasSuffix(ending) {
            if let index = indices[word.dropLast(ending.count) + singular] { return index }
        }
        return nil
    }
}
