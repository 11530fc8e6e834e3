public import ChoirGraph
import ChoirTensor

/// The Cosmos network as a graph. Matches `Training/network.py` layer for layer.
///
/// Inputs, for tiles of `height` x `width` pixels, cells of 16 x 16 pixels:
///
/// | name | shape | |
/// |---|---|---|
/// | `picture` | `[1, 3, height, width]` | the noisy tile, preconditioned |
/// | `coarse` | `[1, 4, height / 4, width / 4]` | the coarser scale's picture at this size, and a plane of ones if there is one |
/// | `level` | `[1, 2 · frequencies]` | sines and cosines of the noise level |
/// | `scale` | `[1, scales]` | one-hot: full size, quarter, eighth |
/// | `text` | `[1, text, height / 16, width / 16]` or `[1, text, 1, 1]` | what the prompt says of each cell, or of all |
/// | `context` | `[1, contextTokens, widths[2]]` | the tokens of all tiles; absent without |
///
/// Outputs: `publication`, `[1, tokens, widths[2]]`, and, of the whole network, `output`, `[1, 3, height, width]`.
public struct CosmosGraph {
    private let graph: GraphBuilder
    private let network: CosmosConfiguration.Network
    private let cellsPerToken: Int
    private let hasTextPerCell: Bool

    /// Which part of the network a graph holds.
    public enum Part: Sendable {
        /// The whole network.
        case denoiser
        /// The way down only: what a tile publishes.
        case publisher
    }

    /// Builds the graph for one shape of tiles.
    ///
    /// - Parameters:
    ///   - part: The whole network, or what it takes to publish.
    ///   - configuration: The network's sizes.
    ///   - weights: A store with the tensors of `model.safetensors`.
    ///   - height: Rows of pixels; a multiple of 16.
    ///   - width: Columns of pixels; a multiple of 16.
    ///   - contextTokens: Tokens that the tile reads; may be 0.
    ///   - cellsPerToken: Side of the square of 16 x 16 pixel cells that a published token stands for.
    ///   - hasTextPerCell: Whether the prompt says something of each cell; the same of all takes a tenth less time.
    /// - Throws: `GraphError` that names the layer, if a weight is missing or has another shape.
    public static func build(
        _ part: Part, configuration: CosmosConfiguration, weights: WeightStore, height: Int, width: Int,
        contextTokens: Int, cellsPerToken: Int, hasTextPerCell: Bool
    ) throws(GraphError) -> Graph {
        let network = configuration.network
        let builder = GraphBuilder(name: "cosmos", weights: weights)
        let cosmos = CosmosGraph(
            graph: builder, network: network, cellsPerToken: cellsPerToken, hasTextPerCell: hasTextPerCell)
        let picture = try builder.parameter("picture", shape: [1, 3, height, width])
        let features = try cosmos.encode(picture, height: height, width: width)
        let own = try cosmos.publication(of: features.bottom, picture: picture)
        if part == .denoiser {
            // All tiles read the same tokens, so where two overlap they see the same; only a tile alone reads its own.
            let tokens =
                contextTokens > 0
                ? try builder.parameter("context", shape: [1, contextTokens, network.widths[2]]) : own
            try builder.result("output", cosmos.decode(features, picture: picture, tokens: tokens))
        }
        try builder.result("publication", own)
        return try builder.build()
    }

    /// The scale and shift of a block.
    private typealias Modulation = (scale: Value, shift: Value)

    /// What the way down hands to the way up.
    private struct Features {
        var bottom: Value
        var skips: [Value]
        /// For each level, those of the blocks on the way up.
        var modulations: [[Modulation]]
        /// What the noise level and the scale say, `[1, embedding, 1, 1]`.
        var moment: Value
        /// Whether this is composed at full size: 1, else 0, `[1, 1, 1, 1]`.
        var composed: Value
    }

    private func encode(_ picture: Value, height: Int, width: Int) throws(GraphError) -> Features {
        let coarse = try graph.parameter(
            "coarse", shape: [1, 4, height / network.unshuffle, width / network.unshuffle])
        let scale = try graph.parameter("scale", shape: [1, network.scales])
        let moment = try moment(scale)
        let modulations = try modulations(moment, height: height / network.cell, width: width / network.cell)
        let folded = try graph.spaceToDepth(picture, blockSize: network.unshuffle)
        var x = try graph.convolution(
            graph.concat([folded, coarse], axis: 1), named: "input", outputChannels: network.widths[0], kernel: 3,
            padding: 1)
        var skips: [Value] = []
        for level in 0..<3 {
            if level > 0 {
                skips.append(x)
                x = try graph.convolution(
                    graph.spaceToDepth(x, blockSize: 2), named: "fold\(level - 1)",
                    outputChannels: network.widths[level], kernel: 1)
            }
            for block in 0..<network.blocks[level] {
                x = try residual(x, named: "down\(level).\(block)", modulations[level][block])
            }
        }
        let up = modulations.map { Array($0[($0.count / 2)...]) }
        return Features(
            bottom: x, skips: skips, modulations: up, moment: moment, composed: try composed(scale, coarse))
    }

    private func decode(_ features: Features, picture: Value, tokens: Value) throws(GraphError) -> Value {
        let (blocks, widths) = (network.blocks, network.widths)
        let modulations = try styled(features, tokens: tokens)
        var x = features.bottom
        for block in 0..<blocks[2] {
            if block == 0 || block == blocks[2] - 1 {
                x = try attention(x, tokens: tokens, named: "attention.\(min(block, 1))")
            }
            x = try residual(x, named: "middle.\(block)", modulations[2][block])
        }
        for level in [1, 0] {
            let unfolded = try graph.convolution(
                x, named: "unfold\(level)", outputChannels: 4 * widths[level], kernel: 1)
            x = try graph.convolution(
                graph.concat([graph.depthToSpace(unfolded, blockSize: 2), features.skips[level]], axis: 1),
                named: "join\(level)", outputChannels: widths[level], kernel: 1)
            for block in 0..<blocks[level] {
                x = try residual(x, named: "up\(level).\(block)", modulations[level][block])
            }
        }
        let fine = try graph.convolution(
            graph.silu(normalised(x)), named: "output",
            outputChannels: network.fine * network.unshuffle * network.unshuffle, kernel: 3, padding: 1)
        // At full size, so that the folds do not show as a grid.
        let joined = try graph.concat([graph.depthToSpace(fine, blockSize: network.unshuffle), picture], axis: 1)
        let refined = try graph.convolution(
            joined, named: "refine1", outputChannels: network.fine + 4, kernel: 3, padding: 1)
        return try graph.convolution(graph.silu(refined), named: "refine2", outputChannels: 3, kernel: 3, padding: 1)
    }

    /// What the noise level and the scale say, `[1, embedding, 1, 1]`.
    private func moment(_ scale: Value) throws(GraphError) -> Value {
        let level = try graph.parameter("level", shape: [1, 2 * network.frequencies])
        let hidden = try graph.silu(graph.linear(level, named: "time.0", outputs: network.embedding))
        return try graph.reshape(
            graph.add(
                graph.linear(hidden, named: "time.2", outputs: network.embedding),
                graph.linear(scale, named: "scale", outputs: network.embedding, bias: false)),
            to: [1, network.embedding, 1, 1])
    }

    /// Whether this is the full scale and sees no coarser picture: 1, else 0, `[1, 1, 1, 1]`.
    private func composed(_ scale: Value, _ coarse: Value) throws(GraphError) -> Value {
        var given = try graph.slice(coarse, axis: 1, range: 3..<4)
        for axis in [2, 3] { given = try graph.slice(given, axis: axis, range: 0..<1) }
        let full = try graph.reshape(graph.slice(scale, axis: 1, range: 0..<1), to: [1, 1, 1, 1])
        return try graph.subtract(full, graph.multiply(full, given))
    }

    /// For each level, the modulation of each block, down and up.
    private func modulations(_ moment: Value, height: Int, width: Int) throws(GraphError) -> [[Modulation]] {
        let text = try graph.parameter(
            "text", shape: hasTextPerCell ? [1, network.text, height, width] : [1, network.text, 1, 1])
        let cells = try graph.silu(graph.add(perCell(text, named: "text", outputs: network.embedding), moment))
        let everywhere = try graph.silu(moment)

        var all: [[Modulation]] = []
        for index in 0..<3 {
            let count = 4 * network.blocks[index]
            var values = try perCell(
                index == 0 ? everywhere : cells, named: "modulation\(index)",
                outputs: count * network.widths[index])
            if index == 1, hasTextPerCell { values = try graph.interpolate(values, scale: 2, method: .linear) }
            all.append(try pairs(values, width: network.widths[index]))
        }
        return all
    }

    /// The modulation of the way up with what all tiles have in common: the mean of their tokens.
    ///
    /// A canvas that is composed at full size has layers of its own besides: no coarser picture tells its parts what they
    /// share.
    private func styled(_ features: Features, tokens: Value) throws(GraphError) -> [[Modulation]] {
        let mean = try graph.reshape(graph.reduceMean(tokens, axes: [1]), to: [1, network.widths[2], 1, 1])
        let always = try stylings(mean, moment: features.moment, prefix: "")
        let added = try stylings(mean, moment: features.moment, prefix: "composed_")
        var all: [[Modulation]] = []
        for (index, modulations) in features.modulations.enumerated() {
            let sum = try graph.add(always[index], graph.multiply(added[index], features.composed))
            let styles = try pairs(sum, width: network.widths[index])
            var sums: [Modulation] = []
            for (own, common) in zip(modulations, styles) {
                sums.append((try graph.add(own.scale, common.scale), try graph.add(own.shift, common.shift)))
            }
            all.append(sums)
        }
        return all
    }

    /// For each level, what a path of layers makes of the mean of all tokens, `[1, channels, 1, 1]`.
    private func stylings(_ mean: Value, moment: Value, prefix: String) throws(GraphError) -> [Value] {
        let style = try graph.silu(
            graph.add(perCell(mean, named: "\(prefix)style", outputs: network.embedding), moment))
        var all: [Value] = []
        for (index, width) in network.widths.enumerated() {
            let outputs = 2 * network.blocks[index] * width
            all.append(try perCell(style, named: "\(prefix)styling\(index)", outputs: outputs))
        }
        return all
    }

    /// Scales and shifts of blocks of a width, which lie one after another along the channels.
    private func pairs(_ values: Value, width: Int) throws(GraphError) -> [Modulation] {
        let count = values.shape[1] / width
        let parts = try graph.variadicSplit(values, axis: 1, lengths: [Int](repeating: width, count: count))
        return stride(from: 0, to: count, by: 2).map { (scale: parts[$0], shift: parts[$0 + 1]) }
    }

    /// A linear map of the channels of each cell; its weight is `[outputs, inputs]`.
    private func perCell(_ x: Value, named name: String, outputs: Int) throws(GraphError) -> Value {
        try graph.scope(name) { () throws(GraphError) in
            let inputs = x.shape[1]
            let weight = try graph.reshape(
                graph.weight("weight", shape: [outputs, inputs]), to: [outputs, inputs, 1, 1])
            return try graph.convolution(x, weight: weight, bias: graph.weight("bias", shape: [outputs]))
        }
    }

    private func residual(
        _ x: Value, named name: String, _ modulation: Modulation
    ) throws(GraphError) -> Value {
        try graph.scope(name) { () throws(GraphError) in
            let channels = x.shape[1]
            var h = try graph.add(
                graph.multiply(normalised(x), graph.add(modulation.scale, 1)), modulation.shift)
            for convolution in ["convolution1", "convolution2"] {
                h = try graph.convolution(
                    graph.silu(h), named: convolution, outputChannels: channels, kernel: 3, padding: 1)
            }
            return try graph.add(x, graph.multiply(h, graph.weight("gain", shape: [1, channels, 1, 1])))
        }
    }

    private func normalised(_ x: Value) throws(GraphError) -> Value {
        try graph.rootMeanSquareNormalization(x, axis: 1, epsilon: 1e-4)
    }

    private func publication(of features: Value, picture: Value) throws(GraphError) -> Value {
        // Close to pure noise only the mean of many pixels tells the colour of a picture, and features hardly carry it. One
        // cell of pure noise deviates by 4 then.
        let mean = try graph.clamp(
            graph.multiply(
                graph.averagePool(picture, kernel: network.cell * cellsPerToken), Float(4 * network.cell)),
            to: -4...4)
        return try graph.add(
            tokens(graph.averagePool(normalised(features), kernel: cellsPerToken)),
            graph.linear(tokens(mean), named: "mean", outputs: network.widths[2]))
    }

    /// `[1, C, h, w]` as `[1, h · w, C]`.
    private func tokens(_ x: Value) throws(GraphError) -> Value {
        try graph.transpose(graph.reshape(x, to: [1, x.shape[1], -1]), order: [0, 2, 1])
    }

    /// Every cell attends to the tokens.
    private func attention(_ x: Value, tokens context: Value, named name: String) throws(GraphError) -> Value {
        try graph.scope(name) { () throws(GraphError) in
            let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
            let perHead = channels / network.heads
            let query = try graph.linear(
                tokens(normalised(x)), named: "query", outputs: channels, bias: false)
            let keyValue = try graph.variadicSplit(
                graph.linear(context, named: "key_value", outputs: 2 * channels, bias: false), axis: 2,
                lengths: [channels, channels])
            var heads: [Value] = []
            for value in [query, keyValue[0], keyValue[1]] {
                heads.append(
                    try graph.transpose(
                        graph.reshape(value, to: [1, -1, network.heads, perHead]), order: [0, 2, 1, 3]))
            }
            let attended = try graph.scaledDotProductAttention(query: heads[0], key: heads[1], value: heads[2])
            let joined = try graph.reshape(
                graph.transpose(attended, order: [0, 2, 1, 3]), to: [1, height * width, channels])
            let output = try graph.linear(joined, named: "output", outputs: channels)
            return try graph.add(
                x, graph.reshape(graph.transpose(output, order: [0, 2, 1]), to: [1, channels, height, width]))
        }
    }
}
