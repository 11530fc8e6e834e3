public import ChoirGraph
import ChoirTensor

/// The UNet of Stable Diffusion as a graph. Matches diffusers `unet_2d_condition.py` for the kinds that
/// ``UNetConfiguration`` covers (Rombach et al., arXiv:2112.10752; Podell et al., arXiv:2307.01952).
///
/// Inputs, for a latent of `height` x `width` cells:
///
/// | name | shape | |
/// |---|---|---|
/// | `sample` | `[1, inputChannels, height, width]` | the noisy latent, scaled as the sampler says |
/// | `time` | `[1, channels[0]]` | ``UNetConfiguration/timeFeatures(step:)`` |
/// | `text` | `[1, tokens, textContextWidth]` | what ``buildText(_:weights:textTokens:)`` makes of the encoded prompt |
/// | `addition` | `[1, addition.inputWidth]` | ``UNetConfiguration/additionFeatures(pooledText:timeIDs:)``; SDXL only |
/// | `guidance` | `[1, guidanceWidth]` | ``UNetConfiguration/guidanceFeatures(scale:)``; LCM only |
/// | `context` | `[1, contextTokens, publicationWidth]` | tokens of other tiles; with a bridge that reads |
/// | `contextBias` | `[1, contextTokens]` | ``UNetBridge/bias(ofFraction:)`` of each; with a bridge that reads |
///
/// Outputs: `prediction`, `[1, outputChannels, height, width]`, the noise or velocity; with a bridge also
/// `publication`, `[1, tokens, publicationWidth]`, row by row of squares of cells.
///
/// Any height and width of 1 or more will do: where the way down rounds up to the next half, the way up returns to the
/// size that it came from, as in diffusers. With a bridge both must be multiples of its `cellsPerToken`.
public struct UNetGraph {
    let graph: GraphBuilder
    let configuration: UNetConfiguration
    let bridge: UNetBridge?
    /// What the layers that attend to the text read, by name.
    let texts: [String: (key: Value, value: Value)]
    /// SiLU of the embedding of time and the rest, `[1, embeddingWidth]`; all residual blocks take it.
    let embedding: Value
    /// What the bridge's layers read, by name; empty without.
    let contexts: [String: Value]
    /// The bias of each token that the bridge's layers read, `[1, contextTokens]`.
    let contextBias: Value?

    /// Builds the graph for one shape of latents.
    ///
    /// Checks that every weight is there with its shape, before anything is compiled.
    ///
    /// - Parameters:
    ///   - configuration: The network's sizes.
    ///   - weights: A store that answers to the names of diffusers.
    ///   - height: Rows of the latent.
    ///   - width: Columns of the latent.
    ///   - textTokens: Tokens of the encoded prompt; 77 for each chunk.
    ///   - bridge: Where tiles attend to each other; nil for the plain network.
    /// - Throws: `GraphError` that names the layer or weight, and the file.
    public static func build(
        _ configuration: UNetConfiguration, weights: WeightStore, height: Int, width: Int, textTokens: Int,
        bridge: UNetBridge? = nil
    ) throws(GraphError) -> Graph {
        let graph = GraphBuilder(name: "unet", weights: weights)
        let sample = try graph.parameter("sample", shape: [1, configuration.inputChannels, height, width])
        let embedding = try self.embedding(graph, configuration)
        let texts = try texts(graph, configuration, tokens: textTokens)
        let (contexts, contextBias) = try contexts(graph, configuration, bridge)
        let unet = UNetGraph(
            graph: graph, configuration: configuration, bridge: bridge, texts: texts, embedding: embedding,
            contexts: contexts, contextBias: contextBias)
        var publications: [Value] = []
        let prediction = try unet.prediction(of: sample, &publications)
        try graph.result("prediction", prediction)
        if bridge != nil, !publications.isEmpty {
            try graph.result("publication", graph.concat(publications, axis: 2))
        }
        return try graph.build()
    }

    /// SiLU of the sum of what is known of time, guidance scale, sizes and pooled text, `[1, embeddingWidth]`.
    private static func embedding(
        _ graph: GraphBuilder, _ configuration: UNetConfiguration
    ) throws(GraphError) -> Value {
        func perceptron(_ x: Value, named name: String) throws(GraphError) -> Value {
            try graph.scope(name) { () throws(GraphError) in
                let hidden = try graph.silu(graph.linear(x, named: "linear_1", outputs: configuration.embeddingWidth))
                return try graph.linear(hidden, named: "linear_2", outputs: configuration.embeddingWidth)
            }
        }
        var time = try graph.parameter("time", shape: [1, configuration.channels[0]])
        if let width = configuration.guidanceWidth {
            let guidance = try graph.parameter("guidance", shape: [1, width])
            time = try graph.add(
                time,
                graph.linear(
                    guidance, named: "time_embedding.cond_proj", outputs: configuration.channels[0], bias: false))
        }
        var embedding = try perceptron(time, named: "time_embedding")
        if let addition = configuration.addition {
            let known = try graph.parameter("addition", shape: [1, addition.inputWidth])
            embedding = try graph.add(embedding, perceptron(known, named: "add_embedding"))
        }
        return try graph.silu(embedding)
    }

    private func prediction(of sample: Value, _ publications: inout [Value]) throws(GraphError) -> Value {
        let channels = configuration.channels
        var x = try graph.convolution(
            sample, named: "conv_in", outputChannels: channels[0], kernel: 3, padding: 1)
        var skips = [x]
        for level in channels.indices {
            x = try down(x, level: level, &skips, &publications)
        }
        x = try middle(x, &publications)
        for block in channels.indices {
            x = try up(x, block: block, &skips, &publications)
        }
        x = try graph.silu(
            graph.groupNormalization(
                x, named: "conv_norm_out", groups: configuration.groups, epsilon: configuration.epsilon))
        return try graph.convolution(
            x, named: "conv_out", outputChannels: configuration.outputChannels, kernel: 3, padding: 1)
    }

    private func down(
        _ input: Value, level: Int, _ skips: inout [Value], _ publications: inout [Value]
    ) throws(GraphError) -> Value {
        var x = input
        let block = "down_blocks.\(level)"
        for layer in 0..<configuration.layersPerBlock[level] {
            x = try residual(x, named: "\(block).resnets.\(layer)", outputChannels: configuration.channels[level])
            if configuration.downAttention[level] {
                x = try transformer(x, named: "\(block).attentions.\(layer)", level: level, &publications)
            }
            skips.append(x)
        }
        if level < configuration.channels.count - 1 {
            x = try graph.convolution(
                x, named: "\(block).downsamplers.0.conv", outputChannels: configuration.channels[level], kernel: 3,
                stride: 2, padding: 1)
            skips.append(x)
        }
        return x
    }

    private func middle(_ input: Value, _ publications: inout [Value]) throws(GraphError) -> Value {
        let level = configuration.channels.count - 1
        let channels = configuration.channels[level]
        var x = try residual(input, named: "mid_block.resnets.0", outputChannels: channels)
        x = try transformer(x, named: "mid_block.attentions.0", level: level, &publications)
        return try residual(x, named: "mid_block.resnets.1", outputChannels: channels)
    }

    private func up(
        _ input: Value, block: Int, _ skips: inout [Value], _ publications: inout [Value]
    ) throws(GraphError) -> Value {
        let level = configuration.channels.count - 1 - block
        let channels = configuration.channels[level]
        var x = input
        for layer in 0...configuration.layersPerBlock[level] {
            x = try graph.concat([x, skips.removeLast()], axis: 1)
            x = try residual(x, named: "up_blocks.\(block).resnets.\(layer)", outputChannels: channels)
            if configuration.upAttention[block] {
                x = try transformer(
                    x, named: "up_blocks.\(block).attentions.\(layer)", level: level, &publications)
            }
        }
        guard level > 0, let skip = skips.last else { return x }
        let enlarged = try graph.interpolate(x, height: skip.shape[2], width: skip.shape[3], method: .nearest)
        return try graph.convolution(
            enlarged, named: "up_blocks.\(block).upsamplers.0.conv", outputChannels: channels, kernel: 3, padding: 1)
    }

    private func residual(
        _ x: Value, named name: String, outputChannels: Int
    ) throws(GraphError) -> Value {
        try graph.scope(name) { () throws(GraphError) in
            let (groups, epsilon) = (configuration.groups, configuration.epsilon)
            var h = try graph.silu(graph.groupNormalization(x, named: "norm1", groups: groups, epsilon: epsilon))
            h = try graph.convolution(h, named: "conv1", outputChannels: outputChannels, kernel: 3, padding: 1)
            let shift = try graph.linear(embedding, named: "time_emb_proj", outputs: outputChannels)
            h = try graph.add(h, graph.reshape(shift, to: [1, outputChannels, 1, 1]))
            h = try graph.silu(graph.groupNormalization(h, named: "norm2", groups: groups, epsilon: epsilon))
            h = try graph.convolution(h, named: "conv2", outputChannels: outputChannels, kernel: 3, padding: 1)
            guard x.shape[1] != outputChannels else { return try graph.add(x, h) }
            return try graph.add(
                graph.convolution(x, named: "conv_shortcut", outputChannels: outputChannels, kernel: 1), h)
        }
    }
}
