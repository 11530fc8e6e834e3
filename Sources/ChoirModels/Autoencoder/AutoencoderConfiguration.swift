public import ChoirGraph

/// Either kind of autoencoder that a checkpoint may have.
public enum AutoencoderConfiguration: Hashable, Sendable {
    /// The autoencoder of Stable Diffusion 1.x, 2.x and SDXL.
    case kl(AutoencoderKLConfiguration)
    /// The TAESD family.
    case tiny(AutoencoderTinyConfiguration)

    /// Reads and checks the `config.json` of either kind, which is told by `_class_name`, or else by the fields that
    /// only one has.
    ///
    /// - Throws: `ModelError` that names the file, the field, what was found and what was expected.
    public init(_ fields: ConfigurationFields) throws(ModelError) {
        let (large, tiny) = ("AutoencoderKL", "AutoencoderTiny")
        let looksTiny = fields.has("decoder_block_out_channels") || fields.has("num_decoder_blocks")
        switch try fields.choice("_class_name", of: [large, tiny], absent: looksTiny ? tiny : large) {
        case tiny: self = .tiny(try AutoencoderTinyConfiguration(fields))
        default: self = .kl(try AutoencoderKLConfiguration(fields))
        }
    }

    /// Channels of a latent cell.
    public var latentChannels: Int {
        switch self {
        case .kl(let configuration): configuration.latentChannels
        case .tiny(let configuration): configuration.latentChannels
        }
    }

    /// Pixels per side of a latent cell.
    public var pixelsPerCell: Int {
        switch self {
        case .kl(let configuration): configuration.pixelsPerCell
        case .tiny(let configuration): configuration.pixelsPerCell
        }
    }

    /// For each level of the decoder, how many 3 x 3 convolutions a tile goes through by itself.
    package var tileReaches: [Int] {
        switch self {
        case .kl(let configuration): configuration.tileReaches
        case .tiny(let configuration): configuration.decoderReaches
        }
    }

    /// For each level of the decoder, the most channels that a layer gives.
    package var decoderChannels: [Int] {
        switch self {
        case .kl(let configuration):
            let widths = Array(configuration.blockChannels.reversed())
            return widths.indices.map { max(widths[max($0 - 1, 0)], widths[$0]) }
        case .tiny(let configuration): return configuration.decoderChannels
        }
    }

    /// Bytes of the decoder's weights as f32 numbers, which is how the engine holds them.
    package var decoderBytes: Int {
        func convolution(_ inputs: Int, _ outputs: Int) -> Int {
            let isDoubled = Graph.hasEnoughChannelsForWinograd(inputs: inputs, outputs: outputs)
            return 4 * 9 * inputs * outputs * (isDoubled ? 2 : 1)
        }
        switch self {
        case .kl(let configuration):
            return configuration.decoderParts.map { part in
                switch part {
                case .entrance, .exit: 0
                case .residual(_, let inputs, let outputs):
                    convolution(inputs, outputs) + convolution(outputs, outputs)
                case .attention(_, let channels): 4 * 4 * channels * channels
                // Computed before the enlargement, with as many numbers.
                case .upsampling(_, let channels): 4 * 9 * channels * channels
                }
            }.reduce(0, +)
        case .tiny(let configuration):
            return zip(configuration.decoderChannels, configuration.decoderBlocks).map { channels, blocks in
                convolution(channels, channels) * (3 * blocks + 1)
            }.reduce(0, +)
        }
    }

    /// Bytes of what each tile is given to attend to, with so many tokens.
    package func contextBytes(tokens: Int) -> Int {
        guard case .kl(let configuration) = self, configuration.hasAttention else { return 0 }
        return 4 * tokens * configuration.coarsestChannels
    }

    /// The decoder of a whole canvas; see ``AutoencoderKLGraph/decoder(_:weights:height:width:)``.
    public func decoder(weights: WeightStore, height: Int, width: Int) throws(GraphError) -> Graph {
        switch self {
        case .kl(let configuration):
            try AutoencoderKLGraph.decoder(configuration, weights: weights, height: height, width: width)
        case .tiny(let configuration):
            try AutoencoderTinyGraph.decoder(configuration, weights: weights, height: height, width: width)
        }
    }

    /// The encoder of a whole picture; see ``AutoencoderKLGraph/encoder(_:weights:height:width:)``.
    public func encoder(weights: WeightStore, height: Int, width: Int) throws(GraphError) -> Graph {
        switch self {
        case .kl(let configuration):
            try AutoencoderKLGraph.encoder(configuration, weights: weights, height: height, width: width)
        case .tiny(let configuration):
            try AutoencoderTinyGraph.encoder(configuration, weights: weights, height: height, width: width)
        }
    }
}
