// The parts of a tokenizer's JSON files that are used, as transformers writes them.
extension CLIPTokenizerFiles {
    /// A token, spelled as a text or as an object that also says how it is looked for.
    struct Token: Decodable {
        let content: String
        let id: Int?
        /// nil for a mere text.
        let isNormalized: Bool?

        private enum CodingKeys: String, CodingKey {
            case content, id
            case isNormalized = "normalized"
        }

        init(from decoder: any Decoder) throws {
            if let content = try? decoder.singleValueContainer().decode(String.self) {
                self.content = content
                id = nil
                isNormalized = nil
                return
            }
            let container = try decoder.container(keyedBy: CodingKeys.self)
            content = try container.decode(String.self, forKey: .content)
            id = try container.decodeIfPresent(Int.self, forKey: .id)
            isNormalized = try container.decodeIfPresent(Bool.self, forKey: .isNormalized) ?? true
        }
    }

    /// The tokens with a role: `special_tokens_map.json`, and a part of `tokenizer_config.json`.
    struct SpecialTokens: Decodable {
        let start: Token?
        let end: Token?
        let pad: Token?
        let unknown: Token?

        var all: [Token] { [start, end, pad, unknown].compactMap(\.self) }

        private enum CodingKeys: String, CodingKey {
            case start = "bos_token"
            case end = "eos_token"
            case pad = "pad_token"
            case unknown = "unk_token"
        }
    }

    /// `tokenizer_config.json`.
    struct Settings: Decodable {
        let tokens: SpecialTokens
        let addedTokens: [String: Token]?
        let maximumLength: Double?

        private enum CodingKeys: String, CodingKey {
            case addedTokens = "added_tokens_decoder"
            case maximumLength = "model_max_length"
        }

        init(from decoder: any Decoder) throws {
            tokens = try SpecialTokens(from: decoder)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            addedTokens = try container.decodeIfPresent([String: Token].self, forKey: .addedTokens)
            maximumLength = try container.decodeIfPresent(Double.self, forKey: .maximumLength)
        }
    }

    /// `tokenizer.json`.
    struct Serialized: Decodable {
        let model: Model
        let addedTokens: [Token]?
        let padding: Padding?

        private enum CodingKeys: String, CodingKey {
            case model, padding
            case addedTokens = "added_tokens"
        }

        struct Padding: Decodable {
            let token: String?

            private enum CodingKeys: String, CodingKey {
                case token = "pad_token"
            }
        }

        struct Model: Decodable {
            let type: String?
            let vocabulary: [String: Int]
            let merges: [Pair]
            let suffix: String?
            let unknown: String?

            private enum CodingKeys: String, CodingKey {
                case type, merges
                case vocabulary = "vocab"
                case suffix = "end_of_word_suffix"
                case unknown = "unk_token"
            }
        }
    }

    /// Two tokens that join, spelled as a list or, by older exports, with a blank between them.
    struct Pair: Decodable {
        let first: String
        let second: String

        init?(_ line: some StringProtocol) {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            first = String(parts[0])
            second = String(parts[1])
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let line = try? container.decode(String.self) {
                guard let pair = Pair(line) else {
                    throw DecodingError.dataCorruptedError(
                        in: container, debugDescription: "expected two tokens with a blank between them")
                }
                self = pair
                return
            }
            let parts = try container.decode([String].self)
            guard parts.count == 2 else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected two tokens")
            }
            first = parts[0]
            second = parts[1]
        }
    }
}
