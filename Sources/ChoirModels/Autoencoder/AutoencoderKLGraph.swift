public import ChoirGraph
import ChoirTensor

/// The networks of an `AutoencoderKL` as graphs, under the weight names of diffusers.
public enum AutoencoderKLGraph {
    /// The decoder of a whole canvas.
    ///
    /// Takes `latents`, `[1, latentChannels, height, width]` with unit variance as a sampler leaves them, and gives
    /// `picture`, `[1, 3, height · pixelsPerCell, width · pixelsPerCell]`, about -1 ... 1.
    ///
    /// - Throws: `GraphError` that names the layer, if a weight is missing or has another shape.
    public static func decoder(
        _ configuration: AutoencoderKLConfiguration, weights: WeightStore, height: Int, width: Int
    ) throws(GraphError) -> Graph {
        let builder = GraphBuilder(name: "vae", weights: weights)
        let layers = AutoencoderKLLayers(graph: builder, configuration: configuration, statistics: .own)
        var x = try builder.parameter("latents", shape: [1, configuration.latentChannels, height, width])
        for part in configuration.decoderParts {
            if case .upsampling = part { x = try builder.interpolate(x, scale: 2, method: .nearest) }
            x = try layers.apply(part, to: x)
        }
        try builder.result("picture", x)
        return try builder.build()
    }

    /// The encoder of a whole picture.
    ///
    /// Takes `picture`, `[1, 3, height, width]` in -1 ... 1, and gives `latents`, the mean of the posterior, scaled to
    /// unit variance, `[1, latentChannels, height / pixelsPerCell, width / pixelsPerCell]`.
    ///
    /// - Throws: `GraphError` that names the layer, if a weight is missing or has another shape.
    public static func encoder(
        _ configuration: AutoencoderKLConfiguration, weights: WeightStore, height: Int, width: Int
    ) throws(GraphError) -> Graph {
        let builder = GraphBuilder(name: "vae", weights: weights)
        let layers = AutoencoderKLLayers(graph: builder, configuration: configuration, statistics: .own)
        let picture = try builder.parameter("picture", shape: [1, 3, height, width])
        try builder.result("latents", layers.encoder(picture))
        return try builder.build()
    }

    /// The decoder of one tile of a canvas whose statistics are known.
    ///
    /// Inputs:
    ///
    /// | name | shape | |
    /// |---|---|---|
    /// | `attended` | `[1, C, h, w]` | the first level's window of what ``Segment/attended`` gives; with attention only |
    /// | `latents` | `[1, latentChannels, h, w]` | that of the latents; without attention only |
    /// | `<norm>.gain`, `<norm>.offset` | `[1, C, 1, 1]` | for each normalisation: what makes its mean 0 and variance 1 |
    /// | `rows<l>`, `columns<l>` | `[n]`, i32 | which cells of level l - 1 to keep; where the window is cut only |
    ///
    /// Output: `picture`, the last level's window.
    package static func tileDecoder(
        _ configuration: AutoencoderKLConfiguration, weights: WeightStore, rows: DecoderAxis, columns: DecoderAxis
    ) throws(GraphError) -> Graph {
        let builder = GraphBuilder(name: "vae", weights: weights)
        let layers = AutoencoderKLLayers(graph: builder, configuration: configuration, statistics: .given)
        let channels = configuration.hasAttention ? configuration.coarsestChannels : configuration.latentChannels
        var x = try builder.parameter(
            configuration.hasAttention ? "attended" : "latents",
            shape: [1, channels, rows.sizes[0], columns.sizes[0]])
        var level = 0
        for part in configuration.tileParts {
            if case .upsampling = part {
                level += 1
                x = try builder.enlarged(x, toward: level, rows: rows, columns: columns)
            }
            x = try layers.apply(part, to: x)
        }
        try builder.result("picture", x)
        return try builder.build()
    }

    /// A stretch of the decoder that ends where the next normalisation needs statistics.
    package enum Segment: Hashable, Sendable {
        /// `x` (the latents) to the first features.
        case entrance
        /// `x` to what is between the convolutions of a residual block.
        case hidden(name: String, inputs: Int, outputs: Int)
        /// `x` and `hidden` to the result of a residual block.
        case residual(name: String, inputs: Int, outputs: Int)
        /// `x` and `context` to the result of attention.
        case attention(name: String, channels: Int, contextTokens: Int)
        /// `x` to the next level's features, twice as high and wide.
        case upsampling(name: String, channels: Int)
        /// `x` (the latents) to the result of a first residual block.
        case opening(name: String, channels: Int)
        /// `x` (the latents) and `context` to the result of attention after that block.
        case attended(opening: String, name: String, channels: Int, contextTokens: Int)
    }

    /// One segment for one size of windows; gives `output`, of the size of `x` or, for upsampling, twice its sides.
    package static func segment(
        _ segment: Segment, _ configuration: AutoencoderKLConfiguration, weights: WeightStore, height: Int, width: Int
    ) throws(GraphError) -> Graph {
        let builder = GraphBuilder(name: "vae", weights: weights)
        let layers = AutoencoderKLLayers(graph: builder, configuration: configuration, statistics: .given)
        func input(_ name: String, _ channels: Int) throws(GraphError) -> Value {
            try builder.parameter(name, shape: [1, channels, height, width])
        }
        let output: Value
        switch segment {
        case .entrance:
            output = try layers.entrance(input("x", configuration.latentChannels))
        case .hidden(let name, let inputs, let outputs):
            output = try layers.hidden(input("x", inputs), path: name, outputs: outputs)
        case .residual(let name, let inputs, let outputs):
            output = try layers.residual(
                input("x", inputs), hidden: input("hidden", outputs), path: name, outputs: outputs)
        case .attention(let name, let channels, let contextTokens):
            output = try layers.attention(input("x", channels), contextTokens: contextTokens, path: name)
        case .upsampling(let name, let channels):
            let x = try builder.interpolate(input("x", channels), scale: 2, method: .nearest)
            output = try layers.convolution(x, named: "\(name).conv", channels)
        case .opening(let name, let channels):
            output = try layers.opening(input("x", configuration.latentChannels), path: name, channels: channels)
        case .attended(let opening, let name, let channels, let contextTokens):
            let x = try layers.opening(
                input("x", configuration.latentChannels), path: opening, channels: channels)
            output = try layers.attention(x, contextTokens: contextTokens, path: name)
        }
        try builder.result("output", output)
        return try builder.build()
    }
}

extension AutoencoderKLLayers {
    /// A part of the decoder; upsampling is to come before.
    func apply(_ part: DecoderPart, to x: Value) throws(GraphError) -> Value {
        switch part {
        case .entrance: return try entrance(x)
        case .residual(let name, _, let outputs):
            return try residual(x, path: name, outputs: outputs)
        case .attention(let name, _): return try attention(x, path: name)
        case .upsampling(let name, let channels): return try convolution(x, named: "\(name).conv", channels)
        case .exit: return try exit(x, path: "decoder", outputs: 3)
        }
    }

    /// A residual block.
    private func residual(_ x: Value, path: String, outputs: Int) throws(GraphError) -> Value {
        try residual(x, hidden: hidden(x, path: path, outputs: outputs), path: path, outputs: outputs)
    }

    /// From unit-variance latents to the result of the first residual block.
    fileprivate func opening(_ latents: Value, path: String, channels: Int) throws(GraphError) -> Value {
        try residual(entrance(latents), path: path, outputs: channels)
    }

    /// Attention of some cells to an input of the graph, `context`.
    fileprivate func attention(_ x: Value, contextTokens: Int, path: String) throws(GraphError) -> Value {
        let context = try graph.parameter("context", shape: [1, contextTokens, x.shape[1]])
        return try attention(x, context: context, path: path)
    }

    /// The whole encoder.
    func encoder(_ picture: Value) throws(GraphError) -> Value {
        let widths = configuration.blockChannels
        var x = try convolution(picture, named: "encoder.conv_in", widths[0])
        for (level, channels) in widths.enumerated() {
            for layer in 0..<configuration.layersPerBlock {
                x = try residual(x, path: "encoder.down_blocks.\(level).resnets.\(layer)", outputs: channels)
            }
            if level + 1 < widths.count {
                x = try graph.convolution(
                    x, named: "encoder.down_blocks.\(level).downsamplers.0.conv", outputChannels: channels, kernel: 3,
                    stride: 2, padding: Padding(top: 0, left: 0, bottom: 1, right: 1))
            }
        }
        let (middle, channels) = ("encoder.mid_block", widths[widths.count - 1])
        x = try residual(x, path: "\(middle).resnets.0", outputs: channels)
        if configuration.hasAttention { x = try attention(x, path: "\(middle).attentions.0") }
        x = try residual(x, path: "\(middle).resnets.1", outputs: channels)
        let doubled = 2 * configuration.latentChannels
        x = try exit(x, path: "encoder", outputs: doubled)
        if configuration.hasQuantConvolution {
            x = try graph.convolution(x, named: "quant_conv", outputChannels: doubled, kernel: 1)
        }
        // The other half is the logarithm of the variance.
        let mean = try graph.slice(x, axis: 1, range: 0..<configuration.latentChannels)
        let centred = try perChannel(mean, factors: configuration.shiftFactors.map { -$0 }, multiplies: false)
        return try perChannel(centred, factors: configuration.scalingFactors, multiplies: true)
    }
}

extension GraphBuilder {
    /// The window of `level`: a part of the window of the level before, twice as large.
    func enlarged(
        _ x: Value, toward level: Int, rows: DecoderAxis, columns: DecoderAxis
    ) throws(GraphError) -> Value {
        var part = x
        for (name, axis, side) in [("rows", 2, rows), ("columns", 3, columns)]
        where side.isCut(level: level) {
            let indices = try parameter("\(name)\(level)", shape: [side.sizes[level] / 2], elementType: .i32)
            part = try gather(part, indices: indices, axis: axis)
        }
        return try interpolate(part, scale: 2, method: .nearest)
    }
}
