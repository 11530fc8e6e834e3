/// The sizes of an `AutoencoderTiny` of diffusers: the TAESD family of small, fast autoencoders.
///
/// See <https://github.com/madebyollin/taesd>.
public struct AutoencoderTinyConfiguration: Hashable, Sendable {
    /// Channels of a latent cell.
    public var latentChannels: Int

    /// Channels of each stage of the encoder, from the picture's size to that of the latents.
    public var encoderChannels: [Int]

    /// Residual blocks of each stage of the encoder.
    public var encoderBlocks: [Int]

    /// Channels of each stage of the decoder, from the size of the latents to the picture's.
    public var decoderChannels: [Int]

    /// Residual blocks of each stage of the decoder.
    public var decoderBlocks: [Int]

    /// What the encoder's result is multiplied by to have unit variance.
    public var scalingFactor: Double

    /// What is taken off the encoder's result before that.
    public var shiftFactor: Double

    /// Pixels per side of a latent cell.
    public var pixelsPerCell: Int { 1 << (decoderChannels.count - 1) }

    /// Reads and checks `config.json` of a tiny autoencoder.
    ///
    /// - Parameter fields: The fields under diffusers' names; a missing one means what it means there.
    /// - Throws: `ModelError` that names the file, the field, what was found and what was expected.
    public init(_ fields: ConfigurationFields) throws(ModelError) {
        _ = try fields.choice("act_fn", of: ["relu"], absent: "relu")
        _ = try fields.choice("upsample_fn", of: ["nearest"], absent: "nearest")
        _ = try fields.integer("in_channels", in: 3...3, absent: 3)
        _ = try fields.integer("out_channels", in: 3...3, absent: 3)
        _ = try fields.integer("upsampling_scaling_factor", in: 2...2, absent: 2)
        latentChannels = try fields.integer("latent_channels", in: 1...128, absent: 4)
        encoderChannels = try fields.integers(
            "encoder_block_out_channels", count: 1...8, in: 1...8192, absent: [64, 64, 64, 64])
        // A stage has no convolution between one width and another.
        guard Set(encoderChannels).count == 1 else {
            throw fields.error("encoder_block_out_channels", expected: "equal numbers")
        }
        let stages = encoderChannels.count
        decoderChannels = try fields.integers(
            "decoder_block_out_channels", count: stages...stages, in: 1...8192, absent: [64, 64, 64, 64])
        guard Set(decoderChannels).count == 1 else {
            throw fields.error("decoder_block_out_channels", expected: "equal numbers")
        }
        encoderBlocks = try fields.integers(
            "num_encoder_blocks", count: stages...stages, in: 0...32, absent: [1, 3, 3, 3])
        decoderBlocks = try fields.integers(
            "num_decoder_blocks", count: stages...stages, in: 0...32, absent: [3, 3, 3, 1])
        scalingFactor = try fields.number("scaling_factor", in: 1e-4...1e4, absent: 1)
        shiftFactor = try fields.number("shift_factor", in: -1e4...1e4, absent: 0)
    }
}
