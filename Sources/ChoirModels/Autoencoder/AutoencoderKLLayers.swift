import ChoirGraph
import ChoirTensor

/// The layers of ``AutoencoderKLConfiguration``'s networks. Matches diffusers `autoencoders/vae.py`,
/// `unets/unet_2d_blocks.py` and `resnet.py`.
struct AutoencoderKLLayers {
    let graph: GraphBuilder
    let configuration: AutoencoderKLConfiguration
    let statistics: Statistics

    /// Whose mean and variance a group normalisation takes.
    enum Statistics {
        /// Those of what it normalises.
        case own
        /// Those that inputs of the graph tell: `x · gain + offset` has mean 0 and variance 1.
        case given
    }

    /// Group normalisation of a layer whose full name is `path`.`name`, in the scope `path`.
    func normalized(_ x: Value, path: String, named name: String) throws(GraphError) -> Value {
        guard statistics == .given else {
            return try graph.groupNormalization(
                x, named: name, groups: configuration.groups, epsilon: AutoencoderKLConfiguration.epsilon)
        }
        let (scale, shift) = try given(path: path, named: name, channels: x.shape[1])
        return try graph.add(graph.multiply(x, scale), shift)
    }

    /// The scale and shift of a normalisation, `[1, C, 1, 1]`, from the statistics that are given.
    private func given(
        path: String, named name: String, channels: Int
    ) throws(GraphError) -> (scale: Value, shift: Value) {
        let gain = try graph.parameter("\(path).\(name).gain", shape: [1, channels, 1, 1])
        let offset = try graph.parameter("\(path).\(name).offset", shape: [1, channels, 1, 1])
        return try graph.scope(name) { () throws(GraphError) in
            let weight = try graph.reshape(graph.weight("weight", shape: [channels]), to: [1, channels, 1, 1])
            let bias = try graph.reshape(graph.weight("bias", shape: [channels]), to: [1, channels, 1, 1])
            return (try graph.multiply(gain, weight), try graph.add(graph.multiply(offset, weight), bias))
        }
    }

    /// From unit-variance latents to the first features.
    func entrance(_ latents: Value) throws(GraphError) -> Value {
        var z = try perChannel(latents, factors: configuration.scalingFactors.map { 1 / $0 }, multiplies: true)
        z = try perChannel(z, factors: configuration.shiftFactors, multiplies: false)
        if configuration.hasPostQuantConvolution {
            z = try graph.convolution(
                z, named: "post_quant_conv", outputChannels: configuration.latentChannels, kernel: 1)
        }
        return try convolution(z, named: "decoder.conv_in", configuration.coarsestChannels)
    }

    /// The first half of a residual block.
    func hidden(_ x: Value, path: String, outputs: Int) throws(GraphError) -> Value {
        try graph.scope(path) { () throws(GraphError) in
            try convolution(graph.silu(normalized(x, path: path, named: "norm1")), named: "conv1", outputs)
        }
    }

    /// The second half of a residual block, and the shortcut beside both.
    func residual(_ x: Value, hidden: Value, path: String, outputs: Int) throws(GraphError) -> Value {
        try graph.scope(path) { () throws(GraphError) in
            let h = try convolution(
                graph.silu(normalized(hidden, path: path, named: "norm2")), named: "conv2", outputs)
            let shortcut =
                x.shape[1] == outputs
                ? x : try graph.convolution(x, named: "conv_shortcut", outputChannels: outputs, kernel: 1)
            return try graph.add(shortcut, h)
        }
    }

    /// Attention with one head.
    ///
    /// - Parameters:
    ///   - x: `[1, C, h, w]`: the cells that attend.
    ///   - context: `[1, T, C]`, what they attend to before normalisation; nil for themselves.
    ///   - path: The layer's name.
    func attention(_ x: Value, context: Value? = nil, path: String) throws(GraphError) -> Value {
        try graph.scope(path) { () throws(GraphError) in
            let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
            let count = height * width
            let own: Value
            var others: Value
            if let context {
                let (scale, shift) = try given(path: path, named: "group_norm", channels: channels)
                own = try tokens(graph.add(graph.multiply(x, scale), shift))
                others = try graph.multiply(context, graph.reshape(scale, to: [1, 1, channels]))
                others = try graph.add(others, graph.reshape(shift, to: [1, 1, channels]))
            } else {
                own = try tokens(normalized(x, path: path, named: "group_norm"))
                others = own
            }
            // Checkpoints of before 2023 have the older names.
            let names =
                graph.hasWeight("to_q.weight")
                ? ["to_q", "to_k", "to_v", "to_out.0"] : ["query", "key", "value", "proj_attn"]
            func heads(_ value: Value, _ name: String) throws(GraphError) -> Value {
                try graph.unsqueeze(graph.linear(value, named: name, outputs: channels), axis: 1)
            }
            let (key, value) = (try heads(others, names[1]), try heads(others, names[2]))
            let query = try graph.multiply(heads(own, names[0]), 1 / Float(channels).squareRoot())
            // Products, because the engine transposes the keys once for each operation of attention. It keeps no scores
            // of a band, except of one that it cannot divide between threads.
            let attended = try graph.inBands(
                rows: count, alignment: 64, numbersPerRow: key.shape[2], largest: Self.scoresAtOnce, axis: 2
            ) { rows throws(GraphError) in
                let part = try graph.slice(query, axis: 2, range: rows)
                return try graph.matMul(graph.softmax(graph.matMul(part, key, transposeB: true)), value)
            }
            let output = try graph.linear(graph.squeeze(attended, axis: 1), named: names[3], outputs: channels)
            return try graph.add(
                x, graph.reshape(graph.transpose(output, order: [0, 2, 1]), to: [1, channels, height, width]))
        }
    }

    /// How many scores of attention are computed at a time.
    private static let scoresAtOnce = 64 << 20

    /// The last normalisation and convolution of the encoder or decoder.
    func exit(_ x: Value, path: String, outputs: Int) throws(GraphError) -> Value {
        try graph.scope(path) { () throws(GraphError) in
            try convolution(
                graph.silu(normalized(x, path: path, named: "conv_norm_out")), named: "conv_out", outputs)
        }
    }

    /// A convolution that keeps the size.
    func convolution(_ x: Value, named name: String, _ outputs: Int) throws(GraphError) -> Value {
        try graph.convolution(x, named: name, outputChannels: outputs, kernel: 3, padding: 1)
    }

    /// Multiplies each channel by a number, or adds one.
    func perChannel(_ x: Value, factors: [Double], multiplies: Bool) throws(GraphError) -> Value {
        guard factors.contains(where: { $0 != (multiplies ? 1 : 0) }) else { return x }
        let constant = try graph.constant(factors.map(Float.init), shape: [1, factors.count, 1, 1])
        return multiplies ? try graph.multiply(x, constant) : try graph.add(x, constant)
    }

    /// `[1, C, h, w]` as `[1, h · w, C]`.
    private func tokens(_ x: Value) throws(GraphError) -> Value {
        try graph.transpose(graph.reshape(x, to: [1, x.shape[1], -1]), order: [0, 2, 1])
    }
}

extension AutoencoderKLConfiguration {
    /// What group normalisation adds to the variance.
    package static var epsilon: Float { 1e-6 }
}
