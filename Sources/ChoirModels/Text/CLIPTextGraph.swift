public import ChoirGraph
import ChoirTensor

/// Which outputs of a text encoder a model is told.
public struct CLIPTextOutputs: Hashable, Sendable {
    /// After how many blocks the hidden state is taken, 1 ... `layers`.
    public var layer: Int
    /// Whether the final normalisation is applied to it.
    public var isNormalized: Bool
    /// Whether the pooled output is asked for; needs a text projection.
    public var isPooled: Bool

    /// Names the outputs.
    public init(layer: Int, isNormalized: Bool, isPooled: Bool) {
        self.layer = layer
        self.isNormalized = isNormalized
        self.isPooled = isPooled
    }
}

/// The graph of a CLIP text encoder (Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
/// Supervision", section 2.4): ViT-L of CLIP, ViT-H and bigG of OpenCLIP.
///
/// Matches transformers `modeling_clip.py`. The input `tokens`, i64 `[1, L]`, holds a sequence; `end`, i64 `[1]`, is
/// ``CLIPTextConfiguration/endPosition(in:)`` and is there if a pooled output is. The output `hidden`, `[1, L, C]`, is
/// the hidden state; `pooled`, `[1, P]`, the projection at the end of the text.
public enum CLIPTextGraph {
    /// Emits the graph.
    ///
    /// - Parameters:
    ///   - configuration: The encoder's sizes.
    ///   - weights: The checkpoint's weights, under the names of transformers.
    ///   - length: How many ids a sequence has, 1 ... `maximumLength`.
    ///   - outputs: What is asked for.
    ///   - name: The graph's name, which starts every error.
    /// - Throws: `GraphError` that names the weight or layer.
    public static func graph(
        _ configuration: CLIPTextConfiguration,
        weights: WeightStore,
        length: Int,
        outputs: CLIPTextOutputs,
        name: String = "text_encoder"
    ) throws(GraphError) -> Graph {
        let g = GraphBuilder(name: name, weights: weights)
        let tokens = try g.parameter("tokens", shape: [1, length], elementType: .i64)
        // transformers 5 leaves the first part of the name out of encoders without a projection.
        let prefix = g.hasWeight("embeddings.token_embedding.weight") ? nil : "text_model"
        let encoder = CLIPTextBlocks(g: g, configuration: configuration)
        let (hidden, last) = try scope(g, prefix) { () throws(GraphError) in
            var x = try encoder.embed(tokens)
            var hidden = x
            for layer in 0..<(outputs.isPooled ? configuration.layers : outputs.layer) {
                x = try encoder.block(x, layer)
                if layer + 1 == outputs.layer { hidden = x }
            }
            if outputs.isNormalized { hidden = try encoder.finalNormalization(hidden) }
            return (hidden, outputs.isPooled ? try encoder.finalNormalization(x) : nil)
        }
        try g.result("hidden", hidden)
        if let last {
            let end = try g.parameter("end", shape: [1], elementType: .i64)
            let row = try g.reshape(g.gather(last, indices: end, axis: 1), to: [1, configuration.width])
            let pooled = try g.linear(
                row, named: "text_projection", outputs: configuration.projectionWidth, bias: false)
            try g.result("pooled", pooled)
        }
        return try g.build()
    }

    private static func scope<Result>(
        _ g: GraphBuilder, _ name: String?, _ body: () throws(GraphError) -> Result
    ) throws(GraphError) -> Result {
        if let name { return try g.scope(name, body) }
        return try body()
    }
}

/// The parts of the encoder.
private struct CLIPTextBlocks {
    let g: GraphBuilder
    let configuration: CLIPTextConfiguration

    func embed(_ tokens: Value) throws(GraphError) -> Value {
        try g.scope("embeddings") { () throws(GraphError) in
            let words = try g.embedding(
                tokens, named: "token_embedding", count: configuration.vocabularySize, width: configuration.width)
            let positions = try g.weight(
                "position_embedding.weight", shape: [configuration.maximumLength, configuration.width])
            let length = tokens.shape[1]
            let used =
                length == configuration.maximumLength
                ? positions : try g.slice(positions, axis: 0, range: 0..<length)
            return try g.add(words, used)
        }
    }

    /// Attention to the tokens before, then two linear layers; both with the normalisation first.
    func block(_ x: Value, _ index: Int) throws(GraphError) -> Value {
        try g.scope("encoder.layers.\(index)") { () throws(GraphError) in
            let attended = try g.add(x, attention(normalization(x, "layer_norm1")))
            let inner = try g.linear(
                normalization(attended, "layer_norm2"), named: "mlp.fc1", outputs: configuration.innerWidth)
            let activated =
                switch configuration.activation {
                case .quickGELU: try g.silu(inner, beta: 1.702)
                case .gelu: try g.gelu(inner)
                }
            return try g.add(attended, g.linear(activated, named: "mlp.fc2", outputs: configuration.width))
        }
    }

    func finalNormalization(_ x: Value) throws(GraphError) -> Value { try normalization(x, "final_layer_norm") }

    private func normalization(_ x: Value, _ name: String) throws(GraphError) -> Value {
        try g.layerNormalization(x, named: name, epsilon: Float(configuration.epsilon))
    }

    private func attention(_ x: Value) throws(GraphError) -> Value {
        try g.scope("self_attn") { () throws(GraphError) in
            let (length, width, heads) = (x.shape[1], configuration.width, configuration.heads)
            func projected(_ name: String) throws(GraphError) -> Value {
                let y = try g.linear(x, named: name, outputs: width)
                return try g.transpose(g.reshape(y, to: [1, length, heads, width / heads]), order: [0, 2, 1, 3])
            }
            let attended = try g.scaledDotProductAttention(
                query: projected("q_proj"), key: projected("k_proj"), value: projected("v_proj"), isCausal: true)
            let joined = try g.reshape(g.transpose(attended, order: [0, 2, 1, 3]), to: [1, length, width])
            return try g.linear(joined, named: "out_proj", outputs: width)
        }
    }
}
