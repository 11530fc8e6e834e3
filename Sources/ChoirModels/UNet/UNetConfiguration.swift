/// The sizes of a `UNet2DConditionModel`, as the `config.json` of diffusers states them.
///
/// Covers what Stable Diffusion 1.x, 2.x, SDXL base and refiner and their distillations (LCM, Turbo, Lightning) use;
/// anything else that changes the numbers is refused, with the field that asks for it.
public struct UNetConfiguration: Hashable, Sendable {
    /// What SDXL adds to the time embedding: a pooled text embedding and sizes in pixels.
    public struct Addition: Hashable, Sendable {
        /// Numbers by which one size is told; even.
        public var timeIDWidth: Int
        /// Numbers in all: the pooled text embedding and those of all sizes.
        public var inputWidth: Int
    }

    /// Side of the picture that the model was trained on, in cells of the latent; nil when not stated.
    public var sampleSize: Int?
    /// Channels of the noisy latent; 9 for inpainting models, which add a mask and a masked latent.
    public var inputChannels: Int
    /// Channels of the prediction.
    public var outputChannels: Int
    /// Whether cosines stand before sines in the features of a time.
    public var cosinesFirst: Bool
    /// What is subtracted from the number of frequencies, 0 or 1.
    public var frequencyShift: Int
    /// Channels at each resolution, from the finest.
    public var channels: [Int]
    /// Whether the way down has attention at each resolution.
    public var downAttention: [Bool]
    /// Whether the way up has attention at each resolution, from the coarsest.
    public var upAttention: [Bool]
    /// Residual blocks at each resolution on the way down; one more on the way up.
    public var layersPerBlock: [Int]
    /// Transformer layers of each attention at each resolution; the last holds for the middle too.
    public var transformerLayers: [Int]
    /// Heads of each attention at each resolution. The field is `attention_head_dim`, which never meant what it says.
    public var heads: [Int]
    /// Width of the text's tokens.
    public var textWidth: Int
    /// Whether attention enters and leaves through linear maps instead of 1 x 1 convolutions.
    public var usesLinearProjection: Bool
    /// Groups of the group normalisation.
    public var groups: Int
    /// What residual blocks add to the variance.
    public var epsilon: Float
    /// The additional embedding of SDXL; nil without.
    public var addition: Addition?
    /// Numbers by which the guidance scale is told, in models distilled with it (LCM); nil without.
    public var guidanceWidth: Int?

    /// Width of the time embedding inside the network.
    var embeddingWidth: Int { 4 * channels[0] }

    /// Reads and checks a configuration; nothing else is opened.
    ///
    /// - Throws: `ModelError` that names the file and the field.
    public init(_ fields: ConfigurationFields) throws(ModelError) {
        try Self.refuseOtherKinds(fields)
        sampleSize = fields.has("sample_size") ? try fields.integer("sample_size", in: 1...65_536) : nil
        inputChannels = try fields.integer("in_channels", in: 1...256, absent: 4)
        outputChannels = try fields.integer("out_channels", in: 1...256, absent: 4)
        cosinesFirst = try fields.flag("flip_sin_to_cos", absent: true)
        frequencyShift = try fields.integer("freq_shift", in: 0...1, absent: 0)

        channels = try fields.integers("block_out_channels", count: 1...8, in: 4...16_384)
        let levels = channels.count
        let (down, up) = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D")
        downAttention = try fields.choices("down_block_types", count: levels...levels, of: [down, "DownBlock2D"])
            .map { $0 == down }
        upAttention = try fields.choices("up_block_types", count: levels...levels, of: [up, "UpBlock2D"])
            .map { $0 == up }
        layersPerBlock = try fields.integers(
            "layers_per_block", count: levels...levels, in: 1...64, absent: [Int](repeating: 2, count: levels),
            repeatsSingle: true)
        transformerLayers = try fields.integers(
            "transformer_layers_per_block", count: levels...levels, in: 1...64,
            absent: [Int](repeating: 1, count: levels), repeatsSingle: true)
        heads = try fields.integers(
            "attention_head_dim", count: levels...levels, in: 1...4096, absent: [Int](repeating: 8, count: levels),
            repeatsSingle: true)
        let textWidths = try fields.integers(
            "cross_attention_dim", count: levels...levels, in: 1...65_536,
            absent: [Int](repeating: 1280, count: levels), repeatsSingle: true)
        guard Set(textWidths).count == 1 else {
            throw fields.error("cross_attention_dim", expected: "one width at all resolutions")
        }
        textWidth = textWidths[0]
        usesLinearProjection = try fields.flag("use_linear_projection", absent: false)
        groups = try fields.integer("norm_num_groups", in: 1...16_384, absent: 32)
        epsilon = Float(try fields.number("norm_eps", in: 1e-12...1, absent: 1e-5))

        guidanceWidth =
            fields.has("time_cond_proj_dim") ? try fields.integer("time_cond_proj_dim", in: 4...65_536) : nil
        addition = try Self.addition(fields)
        try checkDivisors(fields)
    }

    /// Fields that change the numbers, with the only value that the models covered have.
    private static func refuseOtherKinds(_ fields: ConfigurationFields) throws(ModelError) {
        _ = try fields.choice("_class_name", of: ["UNet2DConditionModel"], absent: "UNet2DConditionModel")
        _ = try fields.choice(
            "mid_block_type", of: ["UNetMidBlock2DCrossAttn"], absent: "UNetMidBlock2DCrossAttn")
        _ = try fields.choice("act_fn", of: ["silu", "swish"], absent: "silu")
        _ = try fields.choice("resnet_time_scale_shift", of: ["default"], absent: "default")
        _ = try fields.choice("time_embedding_type", of: ["positional"], absent: "positional")
        _ = try fields.choice("attention_type", of: ["default"], absent: "default")
        for (field, value) in [
            ("downsample_padding", 1), ("mid_block_scale_factor", 1), ("conv_in_kernel", 3), ("conv_out_kernel", 3),
            ("resnet_out_scale_factor", 1),
        ] where try fields.number(field, in: 0...1000, absent: Double(value)) != Double(value) {
            throw fields.error(field, expected: "\(value)")
        }
        for field in [
            "center_input_sample", "only_cross_attention", "mid_block_only_cross_attention", "dual_cross_attention",
            "class_embeddings_concat", "resnet_skip_time_act",
        ] where try fields.flag(field, absent: false) {
            throw fields.error(field, expected: "false")
        }
        for field in [
            "encoder_hid_dim_type", "encoder_hid_dim", "class_embed_type", "num_class_embeds", "num_attention_heads",
            "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act", "cross_attention_norm",
            "reverse_transformer_layers_per_block",
        ] where fields.has(field) {
            throw fields.error(field, expected: "null")
        }
    }

    private static func addition(_ fields: ConfigurationFields) throws(ModelError) -> Addition? {
        guard fields.has("addition_embed_type") else { return nil }
        _ = try fields.choice("addition_embed_type", of: ["text_time"])
        let addition = Addition(
            timeIDWidth: try fields.integer("addition_time_embed_dim", in: 4...65_536),
            inputWidth: try fields.integer("projection_class_embeddings_input_dim", in: 4...1_048_576))
        guard addition.timeIDWidth.isMultiple(of: 2) else {
            throw fields.error("addition_time_embed_dim", expected: "an even number")
        }
        guard addition.inputWidth > addition.timeIDWidth else {
            throw fields.error(
                "projection_class_embeddings_input_dim",
                expected: "more than addition_time_embed_dim, \(addition.timeIDWidth)")
        }
        return addition
    }

    private func checkDivisors(_ fields: ConfigurationFields) throws(ModelError) {
        for width in channels where width % groups != 0 {
            throw fields.error("norm_num_groups", expected: "a divisor of block_out_channels, \(channels)")
        }
        guard channels[0].isMultiple(of: 2) else {
            throw fields.error("block_out_channels", expected: "an even number at the first resolution")
        }
        guard guidanceWidth?.isMultiple(of: 2) != false else {
            throw fields.error("time_cond_proj_dim", expected: "an even number")
        }
        for (level, width) in channels.enumerated() {
            let attends = downAttention[level] || upAttention[channels.count - 1 - level] || level == channels.count - 1
            guard !attends || width % heads[level] == 0 else {
                throw fields.error(
                    "attention_head_dim",
                    expected: "a divisor of block_out_channels at each resolution, \(channels)")
            }
        }
    }
}
