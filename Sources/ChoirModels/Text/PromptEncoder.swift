public import ChoirTensor

/// What a UNet is told of a prompt.
public struct PromptEmbedding: Hashable, Sendable {
    /// The hidden states that cross-attention reads, `[1, T, C]`: `T` is the sequence length times the number of
    /// chunks, `C` the channels of all encoders together.
    public var hidden: Tensor

    /// The pooled output of the last encoder, `[1, P]`; nil for Stable Diffusion 1 and 2.
    public var pooled: Tensor?

    /// Makes an embedding.
    public init(hidden: Tensor, pooled: Tensor?) {
        self.hidden = hidden
        self.pooled = pooled
    }

    /// The same shapes, all zeros: what SDXL is told in place of a negative prompt that is not given, where its
    /// `model_index.json` says `force_zeros_for_empty_prompt`.
    public var zeroed: PromptEmbedding {
        PromptEmbedding(hidden: Tensor(shape: hidden.shape), pooled: pooled.map { Tensor(shape: $0.shape) })
    }
}

/// Turns prompts into embeddings by one or two text encoders, the graphs of which others run.
///
/// Weights of a prompt multiply an encoder's output at their tokens; the whole is then scaled so that its mean over all
/// tokens and channels is what it was, as A1111's web interface has it by default: cross-attention was trained with
/// states of that mean, and prompts are shared with weights that were tried out there. A prompt without weights is left
/// alone, to the bit.
public struct PromptEncoder: Sendable {
    /// A text encoder and the tokenizer that belongs to it.
    public struct Encoder: Sendable {
        /// Turns text into ids.
        public let tokenizer: CLIPTokenizer
        /// The encoder's sizes.
        public let configuration: CLIPTextConfiguration
        /// What its graph is to give; see ``CLIPTextGraph``.
        public let outputs: CLIPTextOutputs
    }

    /// How a family of models reads its encoders.
    public enum Family: Hashable, Sendable {
        /// Stable Diffusion 1 and 2: the last hidden state of one encoder.
        case stableDiffusion
        /// SDXL: the last but one hidden state of each encoder, and the pooled output of the last.
        case xl

        /// The layer that it reads, counted from the last one, which is 1.
        public var ownLayer: Int { self == .xl ? 2 : 1 }
    }

    /// What an encoder's graph gave for a sequence: `hidden` `[1, L, C]` and, if asked for, `pooled` `[1, P]`.
    public typealias Output = (hidden: Tensor, pooled: Tensor?)

    /// The encoders in the order in which their channels are joined.
    public let encoders: [Encoder]

    /// No prompt is longer, in bytes of UTF-8.
    public static let maximumByteCount = 100_000

    /// Chooses the outputs of a model's encoders, and checks that tokenizers and encoders belong together.
    ///
    /// - Parameters:
    ///   - parts: One encoder and its tokenizer, or the two of SDXL (its refiner has the second alone).
    ///   - family: How the model reads them.
    ///   - skippedLayers: How many more of the last layers are left out: diffusers' `clip_skip`, which is one less
    ///     than the "clip skip" of A1111's web interface. It holds for every prompt; diffusers leaves negative ones
    ///     out, but models that were trained with fewer layers were trained so without a prompt too.
    /// - Throws: `ModelError` if they do not fit together or there are not as many layers.
    public init(
        _ parts: [(tokenizer: CLIPTokenizer, configuration: CLIPTextConfiguration)],
        family: Family,
        skippedLayers: Int = 0
    ) throws(ModelError) {
        var encoders: [Encoder] = []
        for (index, (tokenizer, configuration)) in parts.enumerated() {
            try configuration.check(tokenizer)
            let most = configuration.layers - (family == .xl ? 2 : 1)
            guard most >= 0 else {
                throw ModelError(
                    configuration.path,
                    "num_hidden_layers: found \(configuration.layers), expected 2 or more for SDXL")
            }
            guard (0...most).contains(skippedLayers) else {
                throw ModelError(
                    configuration.path,
                    "clip skip: found \(skippedLayers), expected 0 to \(most) for a text encoder of "
                        + "\(configuration.layers) layers")
            }
            let outputs =
                switch family {
                case .stableDiffusion:
                    CLIPTextOutputs(
                        layer: configuration.layers - skippedLayers, isNormalized: true, isPooled: false)
                case .xl:
                    CLIPTextOutputs(
                        layer: configuration.layers - 1 - skippedLayers, isNormalized: false,
                        isPooled: index == parts.count - 1)
                }
            encoders.append(Encoder(tokenizer: tokenizer, configuration: configuration, outputs: outputs))
        }
        let lengths = Set(encoders.map(\.tokenizer.maximumLength))
        guard lengths.count == 1 else {
            throw ModelError(
                parts.last?.tokenizer.path ?? "",
                "found tokenizers with sequences of \(lengths.sorted()) ids, expected one or more that agree")
        }
        self.encoders = encoders
    }

    /// The channels of `PromptEmbedding.hidden`.
    public var width: Int { encoders.map(\.configuration.width).reduce(0, +) }

    /// How many ids a sequence has.
    public var sequenceLength: Int { encoders[0].tokenizer.maximumLength }

    /// The embeddings of prompts, all of the same length: shorter ones are filled up with chunks without text.
    ///
    /// - Parameters:
    ///   - prompts: Such as the prompt and the negative one; see ``WeightedPrompt`` for their language.
    ///   - run: Runs an encoder's graph on a chunk; `end` is the chunk's ``CLIPTextConfiguration/endPosition(in:)``.
    /// - Throws: `ModelError` for a prompt that is too long or an output of another shape than expected, and what
    ///   `run` throws.
    public nonisolated(nonsending) func embed(
        _ prompts: [WeightedPrompt],
        run: nonisolated(nonsending) (_ encoder: Int, _ chunk: PromptChunk, _ end: Int) async throws -> Output
    ) async throws -> [PromptEmbedding] {
        var chunks: [[[PromptChunk]]] = []
        for prompt in prompts {
            let size = prompt.parts.reduce(0) { sum, part in
                if case .text(let text, _) = part { sum + text.utf8.count } else { sum }
            }
            guard size <= Self.maximumByteCount else {
                throw ModelError(
                    "prompt", "found \(size) bytes of text, expected at most \(Self.maximumByteCount)")
            }
            chunks.append(encoders.map { PromptChunk.chunks(of: prompt, tokenizer: $0.tokenizer) })
        }
        let count = chunks.joined().map(\.count).max() ?? 0
        var known: [Key: Output] = [:]
        var embeddings: [PromptEmbedding] = []
        for prompt in chunks {
            var states: [Tensor] = []
            var pooled: Tensor?
            for (index, encoder) in encoders.enumerated() {
                let empty = PromptChunk.chunks(of: WeightedPrompt(plain: ""), tokenizer: encoder.tokenizer)
                let padding = [[PromptChunk]](repeating: empty, count: count - prompt[index].count).joined()
                var pieces: [Tensor] = []
                for chunk in prompt[index] + padding {
                    let key = Key(encoder: index, tokens: chunk.tokens)
                    let output: Output
                    if let before = known[key] {
                        output = before
                    } else {
                        let end = encoder.configuration.endPosition(in: chunk.tokens)
                        output = try await run(index, chunk, end)
                        try check(output, of: encoder)
                        known[key] = output
                    }
                    // The pooled output of a long prompt is that of its first chunk.
                    if encoder.outputs.isPooled, pooled == nil { pooled = output.pooled }
                    pieces.append(output.hidden.weighted(by: chunk.weights))
                }
                states.append(Tensor.joined(pieces, axis: 1))
            }
            embeddings.append(PromptEmbedding(hidden: Tensor.joined(states, axis: 2), pooled: pooled))
        }
        return embeddings
    }

    private struct Key: Hashable {
        let encoder: Int
        let tokens: [Int]
    }

    private func check(_ output: Output, of encoder: Encoder) throws(ModelError) {
        let configuration = encoder.configuration
        let hidden: Shape = [1, encoder.tokenizer.maximumLength, configuration.width]
        guard output.hidden.shape == hidden else {
            throw ModelError(configuration.path, "the encoder gave \(output.hidden.shape), expected \(hidden)")
        }
        let pooled: Shape? = encoder.outputs.isPooled ? [1, configuration.projectionWidth] : nil
        guard pooled == nil || output.pooled?.shape == pooled else {
            throw ModelError(configuration.path, "the encoder gave no pooled output, expected one")
        }
    }
}

extension Tensor {
    /// Rows of `[1, L, C]` times weights, scaled to the mean that they had; the same bits if every weight is 1.
    fileprivate func weighted(by weights: [Float]) -> Tensor {
        guard weights.contains(where: { $0 != 1 }) else { return self }
        let columns = shape[2]
        var elements = elements
        let before = elements.reduce(0.0) { $0 + Double($1) }
        for index in elements.indices { elements[index] *= weights[index / columns] }
        let after = elements.reduce(0.0) { $0 + Double($1) }
        let ratio = Float(before / after)
        // A mean of zero cannot be restored.
        if ratio.isFinite { for index in elements.indices { elements[index] *= ratio } }
        return Tensor(shape: shape, elements: elements)
    }

    /// Tensors `[1, L, C]` one after another along axis 1 or 2.
    fileprivate static func joined(_ tensors: [Tensor], axis: Int) -> Tensor {
        guard tensors.count > 1 else { return tensors[0] }
        var elements: [Float] = []
        if axis == 1 {
            for tensor in tensors { elements += tensor.elements }
            let rows = tensors.reduce(0) { $0 + $1.shape[1] }
            return Tensor(shape: [1, rows, tensors[0].shape[2]], elements: elements)
        }
        let rows = tensors[0].shape[1]
        for row in 0..<rows {
            for tensor in tensors {
                let columns = tensor.shape[2]
                elements += tensor.elements[row * columns..<(row + 1) * columns]
            }
        }
        return Tensor(shape: [1, rows, tensors.reduce(0) { $0 + $1.shape[2] }], elements: elements)
    }
}
