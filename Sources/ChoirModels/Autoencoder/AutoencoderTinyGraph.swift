public import ChoirGraph
import ChoirTensor

/// The networks of an `AutoencoderTiny` as graphs. Matches diffusers `autoencoders/vae.py`, `EncoderTiny` and
/// `DecoderTiny`, and the pipelines' scaling around them.
public enum AutoencoderTinyGraph {
    /// The decoder of a whole canvas; ports as those of ``AutoencoderKLGraph/decoder(_:weights:height:width:)``.
    ///
    /// - Throws: `GraphError` that names the layer, if a weight is missing or has another shape.
    public static func decoder(
        _ configuration: AutoencoderTinyConfiguration, weights: WeightStore, height: Int, width: Int
    ) throws(GraphError) -> Graph {
        func whole(_ extent: Int) -> DecoderAxis {
            DecoderAxis(extent: extent, largestCore: max(extent, 1), reaches: configuration.decoderReaches)
        }
        return try tileDecoder(configuration, weights: weights, rows: whole(height), columns: whole(width))
    }

    /// The encoder of a whole picture; ports as those of ``AutoencoderKLGraph/encoder(_:weights:height:width:)``.
    ///
    /// - Throws: `GraphError` that names the layer, if a weight is missing or has another shape.
    public static func encoder(
        _ configuration: AutoencoderTinyConfiguration, weights: WeightStore, height: Int, width: Int
    ) throws(GraphError) -> Graph {
        let graph = GraphBuilder(name: "taesd", weights: weights)
        let picture = try graph.parameter("picture", shape: [1, 3, height, width])
        // The network's own pictures are in 0 ... 1.
        var x = try graph.multiply(graph.add(picture, 1), 0.5)
        var layer = LayerNumbers(prefix: "encoder.layers")
        for (stage, blocks) in configuration.encoderBlocks.enumerated() {
            x = try graph.convolution(
                x, named: layer.next(), outputChannels: configuration.encoderChannels[stage], kernel: 3,
                stride: stage == 0 ? 1 : 2, padding: 1, bias: stage == 0)
            for _ in 0..<blocks { x = try block(graph, x, named: layer.next()) }
        }
        x = try graph.convolution(
            x, named: layer.next(), outputChannels: configuration.latentChannels, kernel: 3, padding: 1)
        let centred = try graph.add(x, Float(-configuration.shiftFactor))
        try graph.result("latents", graph.multiply(centred, Float(configuration.scalingFactor)))
        return try graph.build()
    }

    /// The decoder of one tile; there are no statistics, so only the cuts are inputs besides the latents.
    package static func tileDecoder(
        _ configuration: AutoencoderTinyConfiguration, weights: WeightStore, rows: DecoderAxis, columns: DecoderAxis
    ) throws(GraphError) -> Graph {
        let graph = GraphBuilder(name: "taesd", weights: weights)
        let latents = try graph.parameter(
            "latents", shape: [1, configuration.latentChannels, rows.sizes[0], columns.sizes[0]])
        let scaled = try graph.add(
            graph.multiply(latents, Float(1 / configuration.scalingFactor)), Float(configuration.shiftFactor))
        var x = try graph.multiply(graph.tanh(graph.multiply(scaled, 1 / 3)), 3)
        var layer = LayerNumbers(prefix: "decoder.layers")
        let channels = configuration.decoderChannels[0]
        x = try graph.relu(
            graph.convolution(x, named: layer.next(), outputChannels: channels, kernel: 3, padding: 1))
        layer.skip()
        let stages = configuration.decoderBlocks.count
        for (stage, blocks) in configuration.decoderBlocks.enumerated() {
            for _ in 0..<blocks { x = try block(graph, x, named: layer.next()) }
            let isLast = stage + 1 == stages
            if !isLast {
                x = try graph.enlarged(x, toward: stage + 1, rows: rows, columns: columns)
                layer.skip()
            }
            x = try graph.convolution(
                x, named: layer.next(), outputChannels: isLast ? 3 : channels, kernel: 3, padding: 1, bias: isLast)
        }
        try graph.result("picture", graph.add(graph.multiply(x, 2), -1))
        return try graph.build()
    }

    private static func block(_ graph: GraphBuilder, _ x: Value, named name: String) throws(GraphError) -> Value {
        try graph.scope(name) { () throws(GraphError) in
            var h = x
            for (index, layer) in ["conv.0", "conv.2", "conv.4"].enumerated() {
                if index > 0 { h = try graph.relu(h) }
                h = try graph.convolution(h, named: layer, outputChannels: x.shape[1], kernel: 3, padding: 1)
            }
            return try graph.relu(graph.add(x, h))
        }
    }
}

/// Names of the layers of a sequence, which counts also those that have no weights.
private struct LayerNumbers {
    let prefix: String
    private var index = 0

    init(prefix: String) { self.prefix = prefix }

    mutating func next() -> String {
        defer { index += 1 }
        return "\(prefix).\(index)"
    }

    mutating func skip() { index += 1 }
}

extension AutoencoderTinyConfiguration {
    /// For each level of the decoder, how many 3 x 3 convolutions work at it.
    package var decoderReaches: [Int] {
        decoderBlocks.enumerated().map { stage, blocks in
            3 * blocks + 1 + (stage + 1 == decoderBlocks.count ? 1 : 0)
        }
    }
}
