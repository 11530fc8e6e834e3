public import ChoirGraph
import ChoirTensor

extension UNetConfiguration {
    /// Numbers that the network reads of each token of a prompt: keys and values of all layers that attend to it.
    ///
    /// `UNetGraph.buildText` makes them of the encoded prompt, layer after layer, a layer's key before its value.
    public var textContextWidth: Int { selfAttentionLayers.reduce(0) { $0 + 2 * $1.channels } }

    /// The layers that attend to the text, each behind a self-attention layer of the same width.
    fileprivate var textAttentionLayers: [(name: String, channels: Int)] {
        selfAttentionLayers.map { ($0.name.dropLast("attn1".count) + "attn2", $0.channels) }
    }
}

extension UNetGraph {
    /// Builds the graph of what depends on the prompt alone: the keys and values that cross-attention reads.
    ///
    /// It runs once for a prompt, the network once for every tile and step.
    ///
    /// Input: `encoded`, `[1, tokens, textWidth]`, the encoded prompt. Output: `text`, `[1, tokens, textContextWidth]`,
    /// which the network takes.
    ///
    /// - Parameters:
    ///   - configuration: The network's sizes.
    ///   - weights: A store that answers to the names of diffusers.
    ///   - textTokens: Tokens of the encoded prompt; 77 for each chunk.
    /// - Throws: `GraphError` that names the weight, and the file.
    public static func buildText(
        _ configuration: UNetConfiguration, weights: WeightStore, textTokens: Int
    ) throws(GraphError) -> Graph {
        let graph = GraphBuilder(name: "unet_text", weights: weights)
        let text = try graph.parameter("encoded", shape: [1, textTokens, configuration.textWidth])
        var parts: [Value] = []
        for layer in configuration.textAttentionLayers {
            let (key, value) = try graph.keyAndValue(of: text, named: layer.name, channels: layer.channels)
            parts += [key, value]
        }
        try graph.result("text", graph.concat(parts, axis: 2))
        return try graph.build()
    }

    /// The keys and values of each layer that attends to the text, by its name.
    static func texts(
        _ graph: GraphBuilder, _ configuration: UNetConfiguration, tokens: Int
    ) throws(GraphError) -> [String: (key: Value, value: Value)] {
        let layers = configuration.textAttentionLayers
        let text = try graph.parameter("text", shape: [1, tokens, configuration.textContextWidth])
        guard !layers.isEmpty else { return [:] }
        let parts = try graph.variadicSplit(text, axis: 2, lengths: layers.flatMap { [$0.channels, $0.channels] })
        var texts: [String: (key: Value, value: Value)] = [:]
        for (index, layer) in layers.enumerated() { texts[layer.name] = (parts[2 * index], parts[2 * index + 1]) }
        return texts
    }
}

extension GraphBuilder {
    /// The key and value of each token that an attention layer reads, `[1, S, channels]`.
    func keyAndValue(
        of tokens: Value, named layer: String, channels: Int
    ) throws(GraphError) -> (key: Value, value: Value) {
        (
            try linear(tokens, named: "\(layer).to_k", outputs: channels, bias: false),
            try linear(tokens, named: "\(layer).to_v", outputs: channels, bias: false)
        )
    }
}
