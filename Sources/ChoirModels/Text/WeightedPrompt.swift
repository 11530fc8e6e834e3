/// A prompt in the language of A1111's web interface: which parts of the text weigh how much.
///
/// | written | means |
/// |---|---|
/// | `(text)` | 1.1 times the attention |
/// | `(text:1.3)` | 1.3 times |
/// | `[text]` | 1.1 times less |
/// | `\(`, `\)`, `\[`, `\]`, `\\` | the character itself |
/// | `BREAK` | the rest starts a new chunk of tokens |
///
/// They nest, and weights multiply. A bracket that is never closed holds to the end; a weight without a bracket, or a
/// closing bracket without an opening one, is text.
public struct WeightedPrompt: Hashable, Sendable {
    /// A piece of a prompt.
    public enum Part: Hashable, Sendable {
        /// Text and its weight, 1 for plain text.
        case text(String, weight: Double)
        /// The word `BREAK`.
        case lineBreak
    }

    /// The pieces in order; neighbouring texts differ in weight.
    public let parts: [Part]

    /// No weight is further from zero, however deep brackets nest.
    public static let weightLimit = 100.0

    /// What a bracket without a number multiplies by.
    fileprivate static let bracketFactor = 1.1

    /// Whether any part of the text weighs something else than 1.
    public var isWeighted: Bool {
        parts.contains { part in
            if case .text(_, let weight) = part { weight != 1 } else { false }
        }
    }

    /// A prompt whose text is taken as it is written.
    public init(plain text: String) { parts = [.text(text, weight: 1)] }

    /// Parses a prompt; every text is one.
    public init(_ prompt: String) {
        var parser = Parser(characters: Array(prompt))
        parts = parser.parse()
    }

    private struct Parser {
        let characters: [Character]
        var position = 0
        var parts: [Part] = []
        var text = ""
        /// Where the parts of each open bracket start.
        var round: [Int] = []
        var square: [Int] = []

        init(characters: [Character]) { self.characters = characters }

        mutating func parse() -> [Part] {
            while position < characters.count {
                let character = characters[position]
                switch character {
                case "\\":
                    position += 1
                    if position < characters.count, "()[]\\".contains(characters[position]) {
                        text.append(characters[position])
                        position += 1
                    }
                case "(":
                    endText()
                    round.append(parts.count)
                    position += 1
                case "[":
                    endText()
                    square.append(parts.count)
                    position += 1
                case ")":
                    close(round.popLast(), factor: WeightedPrompt.bracketFactor)
                    position += 1
                case "]":
                    close(square.popLast(), factor: 1 / WeightedPrompt.bracketFactor)
                    position += 1
                case ":":
                    if !round.isEmpty, let (weight, end) = number(after: position) {
                        close(round.popLast(), factor: weight)
                        position = end
                    } else {
                        text.append(character)
                        position += 1
                    }
                default:
                    text.append(character)
                    position += 1
                }
            }
            endText()
            while let start = round.popLast() { multiply(from: start, by: WeightedPrompt.bracketFactor) }
            while let start = square.popLast() { multiply(from: start, by: 1 / WeightedPrompt.bracketFactor) }
            return merged()
        }

        /// The number of `: 1.3 )`, and the position behind the bracket.
        func number(after colon: Int) -> (Double, Int)? {
            var index = colon + 1
            func skipBlanks() { while index < characters.count, characters[index].isWhitespace { index += 1 } }
            skipBlanks()
            let start = index
            while index < characters.count, characters[index].isASCII,
                characters[index].isNumber || "+-.".contains(characters[index])
            { index += 1 }
            let digits = String(characters[start..<index])
            skipBlanks()
            guard index < characters.count, characters[index] == ")", let value = Double(digits),
                abs(value) <= WeightedPrompt.weightLimit
            else { return nil }
            return (value, index + 1)
        }

        /// Ends the parts since an open bracket; without one the bracket is text.
        mutating func close(_ start: Int?, factor: Double) {
            guard let start else {
                text.append(characters[position])
                return
            }
            endText()
            multiply(from: start, by: factor)
        }

        mutating func multiply(from start: Int, by factor: Double) {
            for index in parts.indices.dropFirst(start) {
                guard case .text(let text, let weight) = parts[index] else { continue }
                let limit = WeightedPrompt.weightLimit
                parts[index] = .text(text, weight: min(max(weight * factor, -limit), limit))
            }
        }

        /// Ends a run of text, which the word `BREAK` splits.
        mutating func endText() {
            guard !text.isEmpty else { return }
            for (index, piece) in text.split(separatedByWord: "BREAK").enumerated() {
                if index > 0 { parts.append(.lineBreak) }
                if !piece.isEmpty { parts.append(.text(piece, weight: 1)) }
            }
            text = ""
        }

        func merged() -> [Part] {
            var merged: [Part] = []
            for part in parts {
                if case .text(let text, let weight) = part, case .text(let before, weight)? = merged.last {
                    merged[merged.count - 1] = .text(before + text, weight: weight)
                } else {
                    merged.append(part)
                }
            }
            return merged.isEmpty ? [.text("", weight: 1)] : merged
        }
    }
}

extension String {
    /// The pieces between a word that stands alone, without the white space around the word.
    fileprivate func split(separatedByWord word: String) -> [String] {
        func isWordCharacter(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "_"
        }
        var pieces: [String] = []
        var start = startIndex
        var search = startIndex
        while let found = self[search...].firstRange(of: word) {
            let isAlone =
                (found.lowerBound == startIndex || !isWordCharacter(self[index(before: found.lowerBound)]))
                && (found.upperBound == endIndex || !isWordCharacter(self[found.upperBound]))
            search = found.upperBound
            guard isAlone else { continue }
            var end = found.lowerBound
            while end > start, self[index(before: end)].isWhitespace { end = index(before: end) }
            pieces.append(String(self[start..<end]))
            start = self[found.upperBound...].firstIndex { !$0.isWhitespace } ?? endIndex
            search = max(search, start)
        }
        return pieces + [String(self[start...])]
    }
}
