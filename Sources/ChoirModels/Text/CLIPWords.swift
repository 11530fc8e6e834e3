import Foundation

/// How CLIP's tokenizer cuts a text into words before it looks at the vocabulary.
///
/// Matches transformers' `CLIPTokenizer`: canonical composition (NFC), lower case character by character, then the
/// leftmost of English endings (`'s 't 're 've 'm 'll 'd`), runs of letters, single digits and runs of anything else
/// that is not white space.
enum CLIPWords {
    /// The words of a text as UTF-8.
    static func words(of text: String) -> [[UInt8]] {
        words(ofNormalized: normalized(text))
    }

    /// The text composed and in lower case.
    static func normalized(_ text: String) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        for scalar in text.precomposedStringWithCanonicalMapping.unicodeScalars {
            // A capital sigma at a word's end becomes the ordinary small one: letters do not look at each other.
            scalars += scalar.properties.lowercaseMapping.unicodeScalars
        }
        return scalars
    }

    static func words(ofNormalized scalars: [Unicode.Scalar]) -> [[UInt8]] {
        let kinds = scalars.map(Kind.init)
        var words: [[UInt8]] = []
        var start = 0
        while start < scalars.count {
            let kind = kinds[start]
            var end = start + 1
            if kind == .space {
                start = end
                continue
            }
            if let length = endingLength(scalars[start...]) {
                end = start + length
            } else if kind != .number {
                while end < scalars.count, kinds[end] == kind { end += 1 }
            }
            words.append(scalars[start..<end].flatMap { UTF8.encode($0).map(Array.init) ?? [] })
            start = end
        }
        return words
    }

    private enum Kind {
        case letter, number, space, other

        init(_ scalar: Unicode.Scalar) {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
            case .decimalNumber, .letterNumber, .otherNumber: self = .number
            default: self = scalar.properties.isWhitespace ? .space : .other
            }
        }
    }

    private static let endings: [[Unicode.Scalar]] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
        .map { Array($0.unicodeScalars) }

    private static func endingLength(_ scalars: ArraySlice<Unicode.Scalar>) -> Int? {
        guard scalars.first == "'" else { return nil }
        return endings.first { scalars.starts(with: $0) }?.count
    }
}
