/// One sequence of a text encoder: ids and how much the encoder's output at each is to weigh.
public struct PromptChunk: Hashable, Sendable {
    /// Start, text, end and padding: as many ids as the tokenizer's `maximumLength`.
    public let tokens: [Int]

    /// The weight of each id; 1 for those that are not text.
    public let weights: [Float]

    /// Cuts a prompt into sequences, as A1111's web interface does.
    ///
    /// A sequence holds `maximumLength - 2` tokens of text (75 for CLIP). Where the text does not fit it goes on in the
    /// next one; what follows its last comma goes there too, if that is not more than `commaReach` tokens, so that
    /// a phrase stays together. `BREAK` ends a sequence.
    ///
    /// - Returns: At least one; for an empty prompt, one that has no text.
    public static func chunks(of prompt: WeightedPrompt, tokenizer: CLIPTokenizer) -> [PromptChunk] {
        let capacity = tokenizer.maximumLength - 2
        var chunks: [PromptChunk] = []
        var current: [(token: Int, weight: Float)] = []
        /// The number of tokens up to the last comma.
        var afterComma: Int?

        func finish() {
            chunks.append(PromptChunk(current, tokenizer: tokenizer))
            current = []
            afterComma = nil
        }

        for part in prompt.parts {
            guard case .text(let text, let weight) = part else {
                finish()
                continue
            }
            for token in tokenizer.tokens(of: text) {
                if current.count == capacity {
                    var moved: ArraySlice<(token: Int, weight: Float)> = []
                    if let afterComma, token != tokenizer.commaToken, current.count - afterComma < commaReach {
                        moved = current[afterComma...]
                        current.removeLast(current.count - afterComma)
                    }
                    finish()
                    current += moved
                }
                current.append((token, Float(weight)))
                if token == tokenizer.commaToken { afterComma = current.count }
            }
        }
        if !current.isEmpty || chunks.isEmpty { finish() }
        return chunks
    }

    /// How many tokens behind a comma are moved to the next sequence together (A1111's default).
    private static let commaReach = 20

    private init(_ text: [(token: Int, weight: Float)], tokenizer: CLIPTokenizer) {
        tokens = tokenizer.sequence(of: text.map(\.token))
        let weights = [1] + text.map(\.weight)
        self.weights = weights + [Float](repeating: 1, count: tokens.count - weights.count)
    }
}
