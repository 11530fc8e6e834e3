import ChoirTensor

/// Which objects a prompt names.
extension CosmosText {
    /// The elements of a prompt: its parts that name an object, each with all that names none and so is said of the whole.
    ///
    /// Parts lie between commas, semicolons and the words "and" and "with". A word names an object if the trained word whose
    /// vector is closest to its own (cosine) does: "gas" means "nebula".
    ///
    /// - Parameters:
    ///   - vocabulary: The trained words.
    ///   - objects: Those that name objects.
    /// - Returns: Two elements or more; none if fewer parts name an object.
    public func elements(of prompt: String, vocabulary: [String], objects: [String]) -> [String] {
        let trained = vocabulary.compactMap { word in
            indices[word].map { (namesObject: objects.contains(word), direction: direction(of: $0)) }
        }
        let isOfObject = { (word: String) in
            guard let index = index(of: word), weights.elements[index] >= Self.leastWeight else { return false }
            let own = direction(of: index)
            let closeness = trained.map { zip($0.direction, own).reduce(0) { $0 + $1.0 * $1.1 } }
            let closest = closeness.indices.max { closeness[$0] < closeness[$1] }
            return closest.map { trained[$0].namesObject } ?? false
        }
        let parts = Self.parts(of: prompt).map {
            (text: $0, namesObject: Self.words(of: $0).contains(where: isOfObject))
        }
        let named = parts.filter(\.namesObject)
        guard named.count > 1 else { return [] }
        let everywhere = parts.filter { !$0.namesObject }.map(\.text)
        return named.map { ([$0.text] + everywhere).joined(separator: ", ") }
    }

    /// What a word says at least that names an object: "cloud" says 0.57 of it, "glowing" 0.26.
    private static let leastWeight: Float = 0.4

    private static func parts(of prompt: String) -> [String] {
        prompt.split { ",;\n".contains($0) }.flatMap { clause in
            clause.split(separator: " ").split { ["and", "with"].contains($0.lowercased()) }
                .map { $0.joined(separator: " ") }
        }
    }

    /// The vector of a word, of length 1.
    private func direction(of index: Int) -> [Float] {
        let width = nothing.shape[0]
        let vector = vectors.elements[index * width..<(index + 1) * width]
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / max(length, .leastNormalMagnitude) }
    }
}
