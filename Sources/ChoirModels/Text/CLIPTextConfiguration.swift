/// The sizes of a CLIP text encoder: `text_encoder/config.json`, as transformers writes it.
public struct CLIPTextConfiguration: Hashable, Sendable {
    /// What stands between the two linear layers of a block.
    public enum Activation: String, Hashable, Sendable {
        /// `x · sigmoid(1.702 x)`: CLIP's own encoders.
        case quickGELU = "quick_gelu"
        /// `x · Φ(x)`: OpenCLIP's.
        case gelu
    }

    /// The file, for errors.
    public let path: String
    /// Ids that have a vector.
    public let vocabularySize: Int
    /// Positions that have a vector.
    public let maximumLength: Int
    /// Channels of a token.
    public let width: Int
    /// Channels within a block's two linear layers.
    public let innerWidth: Int
    /// Blocks.
    public let layers: Int
    /// Heads of attention; divides `width`.
    public let heads: Int
    /// What stands between a block's linear layers.
    public let activation: Activation
    /// What normalisations add to the variance.
    public let epsilon: Double
    /// The id whose position the pooled output is taken from; nil for old files, where it is that of the highest id.
    public let endToken: Int?
    /// Channels of the pooled output.
    public let projectionWidth: Int

    /// Checks the fields of a configuration.
    ///
    /// - Throws: `ModelError` that names the file and the field.
    public init(_ fields: ConfigurationFields) throws(ModelError) {
        path = fields.path
        vocabularySize = try fields.integer("vocab_size", in: 2...1_048_576, absent: 49_408)
        maximumLength = try fields.integer("max_position_embeddings", in: 3...4096, absent: 77)
        width = try fields.integer("hidden_size", in: 1...16_384, absent: 512)
        innerWidth = try fields.integer("intermediate_size", in: 1...65_536, absent: 2048)
        layers = try fields.integer("num_hidden_layers", in: 1...256, absent: 12)
        heads = try fields.integer("num_attention_heads", in: 1...1024, absent: 8)
        let name = try fields.choice("hidden_act", of: ["quick_gelu", "gelu"], absent: "quick_gelu")
        activation = Activation(rawValue: name) ?? .quickGELU
        epsilon = try fields.number("layer_norm_eps", in: 0...0.1, absent: 1e-5)
        projectionWidth = try fields.integer("projection_dim", in: 1...16_384, absent: 512)
        // Files from before transformers 4.31 name a 2 that no token has; their encoders take the highest id.
        let end = try fields.integer("eos_token_id", in: 0...1_048_575, absent: 49_407)
        endToken = end == 2 ? nil : end
        guard width % heads == 0 else {
            throw fields.error("num_attention_heads", expected: "a divisor of hidden_size, which is \(width)")
        }
    }

    /// Finds out whether a tokenizer is this encoder's.
    ///
    /// - Throws: `ModelError` that names the tokenizer's folder and what does not fit.
    public func check(_ tokenizer: CLIPTokenizer) throws(ModelError) {
        func refusal(_ found: String, expected: String) -> ModelError {
            ModelError(
                tokenizer.path, "the tokenizer does not match the text encoder \(path): \(found), expected \(expected)")
        }
        guard tokenizer.tokenCount <= vocabularySize else {
            throw refusal(
                "it has ids up to \(tokenizer.tokenCount - 1)", expected: "a vocabulary of \(vocabularySize)")
        }
        guard tokenizer.maximumLength <= maximumLength else {
            throw refusal(
                "its sequences have \(tokenizer.maximumLength) ids", expected: "at most \(maximumLength) positions")
        }
        if let endToken, endToken != tokenizer.endToken {
            throw refusal("its texts end with the id \(tokenizer.endToken)", expected: "\(endToken)")
        }
    }

    /// The position of a sequence's end, where the pooled output is taken.
    ///
    /// As in transformers: that of the first end token (0 if there is none), or of the first highest id where the
    /// configuration does not know the end token.
    public func endPosition(in tokens: [Int]) -> Int {
        let end = endToken ?? tokens.max()
        return tokens.firstIndex { $0 == end } ?? 0
    }
}
