import ChoirGraph
import ChoirTensor
import Foundation

extension UNetGraph {
    /// Cuts what a tile reads into the keys and values of each layer.
    static func contexts(
        _ graph: GraphBuilder, _ configuration: UNetConfiguration, _ bridge: UNetBridge?
    ) throws(GraphError) -> (byLayer: [String: Value], bias: Value?) {
        guard let bridge else { return ([:], nil) }
        let layers = configuration.selfAttentionLayers.filter { bridge.layers.contains($0.name) }
        let unknown = bridge.layers.subtracting(layers.map(\.name)).sorted()
        guard !layers.isEmpty, unknown.isEmpty else {
            throw GraphError(
                .argument, "\(graph.name).\(unknown.first ?? "bridge")",
                "a bridge is at one or more self-attention layers of the network, such as mid_block.attentions.0."
                    + "transformer_blocks.0.attn1")
        }
        guard bridge.contextTokens > 0 else { return ([:], nil) }
        let width = configuration.publicationWidth(bridge)
        let context = try graph.parameter("context", shape: [1, bridge.contextTokens, width])
        let bias = try graph.parameter("contextBias", shape: [1, bridge.contextTokens])
        let parts = try graph.variadicSplit(context, axis: 2, lengths: layers.map { 2 * $0.channels })
        return (Dictionary(uniqueKeysWithValues: zip(layers.map(\.name), parts)), bias)
    }

    /// `Transformer2DModel` of diffusers: all cells attend to each other and to the text.
    func transformer(
        _ x: Value, named name: String, level: Int, _ publications: inout [Value]
    ) throws(GraphError) -> Value {
        let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
        let cells = (height: height, width: width)
        let linear = configuration.usesLinearProjection
        var h = try graph.groupNormalization(x, named: "\(name).norm", groups: configuration.groups, epsilon: 1e-6)
        if linear {
            h = try graph.linear(tokens(h), named: "\(name).proj_in", outputs: channels)
        } else {
            h = try tokens(graph.convolution(h, named: "\(name).proj_in", outputChannels: channels, kernel: 1))
        }
        for layer in 0..<configuration.transformerLayers[level] {
            h = try transformerLayer(
                h, named: "\(name).transformer_blocks.\(layer)", level: level, cells: cells, &publications)
        }
        if linear {
            h = try picture(graph.linear(h, named: "\(name).proj_out", outputs: channels), cells)
        } else {
            h = try graph.convolution(picture(h, cells), named: "\(name).proj_out", outputChannels: channels, kernel: 1)
        }
        return try graph.add(h, x)
    }

    /// `BasicTransformerBlock` of diffusers.
    private func transformerLayer(
        _ x: Value, named name: String, level: Int, cells: (height: Int, width: Int), _ publications: inout [Value]
    ) throws(GraphError) -> Value {
        let (channels, heads) = (x.shape[2], configuration.heads[level])
        let own = try graph.layerNormalization(x, named: "\(name).norm1")
        let layer = "\(name).attn1"
        var (key, value) = try graph.keyAndValue(of: own, named: layer, channels: channels)
        var mask: Value?
        if let bridge, bridge.layers.contains(layer) {
            publications.append(try publication(of: own, named: layer, level: level, cells: cells))
            if let context = contexts[layer], let bias = contextBias {
                let own = try graph.constant([Float](repeating: 0, count: key.shape[1]), shape: [1, key.shape[1]])
                let side = bridge.cellsPerToken >> level
                let biases = try graph.concat([own, graph.add(bias, Float(log(Double(side * side))))], axis: 1)
                let parts = try graph.variadicSplit(context, axis: 2, lengths: [channels, channels])
                key = try graph.concat([key, parts[0]], axis: 1)
                value = try graph.concat([value, parts[1]], axis: 1)
                mask = try graph.reshape(biases, to: [1, 1, 1, biases.shape[1]])
            }
        }
        var h = try graph.add(attention(own, key: key, value: value, mask: mask, named: layer, heads: heads), x)
        guard let text = texts["\(name).attn2"] else {
            throw GraphError(.argument, "\(graph.name).\(name).attn2", "the layer is missing among those told the text")
        }
        h = try graph.add(
            attention(
                graph.layerNormalization(h, named: "\(name).norm2"), key: text.key, value: text.value,
                named: "\(name).attn2", heads: heads), h)
        let halves = try graph.linear(
            graph.layerNormalization(h, named: "\(name).norm3"), named: "\(name).ff.net.0.proj",
            parts: [4 * channels, 4 * channels])
        let gated = try graph.geglu(halves[0], gate: halves[1])
        return try graph.add(graph.linear(gated, named: "\(name).ff.net.2", outputs: channels), h)
    }

    private func attention(
        _ x: Value, key: Value, value: Value, mask: Value? = nil, named name: String, heads: Int
    ) throws(GraphError) -> Value {
        let (tokens, channels) = (x.shape[1], x.shape[2])
        // In the query and not left to the attention: the engine would merge it into the keys' layer and make that slower.
        let scale = Float(1 / Double(channels / heads).squareRoot())
        let query = try graph.multiply(graph.linear(x, named: "\(name).to_q", outputs: channels, bias: false), scale)
        let attended = try graph.scaledDotProductAttention(
            query: split(query, heads), key: split(key, heads), value: split(value, heads), mask: mask, scale: 1)
        let joined = try graph.reshape(graph.transpose(attended, order: [0, 2, 1, 3]), to: [1, tokens, channels])
        return try graph.linear(joined, named: "\(name).to_out.0", outputs: channels)
    }

    /// Keys and values of squares of cells. The maps to keys and values have no bias, so the mean of the keys is the
    /// key of the mean, and only the means are mapped.
    private func publication(
        of own: Value, named name: String, level: Int, cells: (height: Int, width: Int)
    ) throws(GraphError) -> Value {
        let cellsPerToken = bridge?.cellsPerToken ?? 1
        let side = cellsPerToken >> level
        guard side > 0, side << level == cellsPerToken, cells.height % side == 0, cells.width % side == 0 else {
            throw GraphError(
                .argument, "\(graph.name).\(name)",
                "the layer has \(cells.height) x \(cells.width) tokens, each of \(1 << level) x \(1 << level) cells, "
                    + "which do not divide into squares of \(cellsPerToken) cells")
        }
        var mean = own
        if side > 1 { mean = try tokens(graph.averagePool(picture(own, cells), kernel: side)) }
        let (key, value) = try graph.keyAndValue(of: mean, named: name, channels: own.shape[2])
        return try graph.concat([key, value], axis: 2)
    }

    /// `[1, C, h, w]` as `[1, h · w, C]`.
    private func tokens(_ x: Value) throws(GraphError) -> Value {
        try graph.transpose(graph.reshape(x, to: [1, x.shape[1], -1]), order: [0, 2, 1])
    }

    /// `[1, h · w, C]` as `[1, C, h, w]`.
    private func picture(_ x: Value, _ cells: (height: Int, width: Int)) throws(GraphError) -> Value {
        try graph.reshape(
            graph.transpose(x, order: [0, 2, 1]), to: [1, x.shape[2], cells.height, cells.width])
    }

    /// `[1, L, heads · E]` as `[1, heads, L, E]`.
    private func split(_ x: Value, _ heads: Int) throws(GraphError) -> Value {
        try graph.transpose(
            graph.reshape(x, to: [1, x.shape[1], heads, x.shape[2] / heads]), order: [0, 2, 1, 3])
    }
}
