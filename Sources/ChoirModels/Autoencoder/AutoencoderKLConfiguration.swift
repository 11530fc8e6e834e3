/// The sizes of an `AutoencoderKL` of diffusers: the autoencoder of Stable Diffusion 1.x, 2.x and SDXL
/// (Rombach et al., arXiv:2112.10752, section 3.1).
public struct AutoencoderKLConfiguration: Hashable, Sendable {
    /// Channels of a latent cell.
    public var latentChannels: Int

    /// Channels of each level, from the picture's size to that of the latents; the side halves from one to the next.
    public var blockChannels: [Int]

    /// Residual blocks of a level of the encoder; the decoder has one more.
    public var layersPerBlock: Int

    /// Groups of channels that are normalised together.
    public var groups: Int

    /// What the encoder's result is multiplied by to have unit variance, with one number or one per channel.
    public var scalingFactors: [Double]

    /// What is taken off the encoder's result before that, with one number or one per channel.
    public var shiftFactors: [Double]

    /// Whether a 1 x 1 convolution follows the encoder.
    public var hasQuantConvolution: Bool

    /// Whether a 1 x 1 convolution precedes the decoder.
    public var hasPostQuantConvolution: Bool

    /// Whether the coarsest level attends to itself.
    public var hasAttention: Bool

    /// Whether its author says that numbers leave the range of f16. Choir computes in f32, or bf16 which has the same
    /// range, so this changes nothing.
    public var forcesUpcast: Bool

    /// Pixels per side of a latent cell.
    public var pixelsPerCell: Int { 1 << (blockChannels.count - 1) }

    /// Channels of the level of the latents' size.
    package var coarsestChannels: Int { blockChannels.last ?? 0 }

    /// Reads and checks `config.json` of an autoencoder.
    ///
    /// - Parameter fields: The fields under diffusers' names; a missing one means what it means there.
    /// - Throws: `ModelError` that names the file, the field, what was found and what was expected.
    public init(_ fields: ConfigurationFields) throws(ModelError) {
        _ = try fields.choice("act_fn", of: ["silu", "swish"], absent: "silu")
        _ = try fields.integer("in_channels", in: 3...3, absent: 3)
        _ = try fields.integer("out_channels", in: 3...3, absent: 3)
        blockChannels = try fields.integers("block_out_channels", count: 1...8, in: 1...8192, absent: [64])
        let levels = blockChannels.count
        for (name, kind) in [("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")] {
            _ = try fields.choices(
                name, count: levels...levels, of: [kind], absent: [String](repeating: kind, count: levels))
        }
        layersPerBlock = try fields.integer("layers_per_block", in: 1...16, absent: 1)
        latentChannels = try fields.integer("latent_channels", in: 1...128, absent: 4)
        groups = try fields.integer("norm_num_groups", in: 1...8192, absent: 32)
        for channels in blockChannels where channels % groups != 0 {
            throw fields.error("norm_num_groups", expected: "a divisor of the \(channels) channels of a level")
        }
        let scale = try fields.number("scaling_factor", in: 1e-4...1e4, absent: 0.18215)
        let shift = try fields.number("shift_factor", in: -1e4...1e4, absent: 0)
        let deviations = try fields.numbers("latents_std", count: latentChannels, in: 1e-4...1e4)
        let means = try fields.numbers("latents_mean", count: latentChannels, in: -1e4...1e4)
        guard (deviations == nil) == (means == nil) else {
            throw fields.error(means == nil ? "latents_mean" : "latents_std", expected: "\(latentChannels) numbers")
        }
        scalingFactors = deviations?.map { scale / $0 } ?? [scale]
        shiftFactors = means ?? [shift]
        hasQuantConvolution = try fields.flag("use_quant_conv", absent: true)
        hasPostQuantConvolution = try fields.flag("use_post_quant_conv", absent: true)
        hasAttention = try fields.flag("mid_block_add_attention", absent: true)
        forcesUpcast = try fields.flag("force_upcast", absent: true)
    }
}

extension ConfigurationFields {
    /// A list of so many numbers within a range; nil when the field is absent.
    func numbers(_ name: String, count: Int, in range: ClosedRange<Double>) throws(ModelError) -> [Double]? {
        guard let value = self[name] else { return nil }
        var numbers: [Double] = []
        if case .list(let values) = value, values.count == count {
            for value in values {
                switch value {
                case .integer(let integer): numbers.append(Double(integer))
                case .number(let number): numbers.append(number)
                default: break
                }
            }
        }
        guard numbers.count == count, numbers.allSatisfy(range.contains) else {
            throw error(
                name, expected: "a list of \(count) numbers from \(range.lowerBound) to \(range.upperBound)")
        }
        return numbers
    }
}
