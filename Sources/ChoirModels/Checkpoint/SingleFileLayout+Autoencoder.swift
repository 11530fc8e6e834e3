import ChoirGraph
import ChoirTensor

extension SingleFileLayout {
    /// What stands before the names of a checkpoint's autoencoder, or nil when there is none.
    var autoencoderPrefix: String? {
        ["first_stage_model.", "vae."].first { has($0 + "decoder.conv_in.weight") }
    }

    /// The configuration of an autoencoder, and how the file names its weights: as the original layout does, or as
    /// diffusers.
    ///
    /// - Parameters:
    ///   - prefix: What stands before its names; nothing in a file with an autoencoder alone.
    ///   - kind: The family whose latents it decodes, which tells their scale.
    func autoencoder(
        prefix: String, kind: CheckpointKind
    ) throws(ModelError) -> (fields: [String: JSONValue], naming: WeightNaming) {
        let input = try require(prefix + "decoder.conv_in.weight", rank: 4)
        let output = try require(prefix + "decoder.conv_out.weight", rank: 4)
        let isOriginal = !has("\(prefix)decoder.up_blocks.0.resnets.0.conv1.weight")
        func residual(_ level: Int, _ block: Int) -> String {
            isOriginal
                ? "\(prefix)decoder.up.\(level).block.\(block).conv1.weight"
                : "\(prefix)decoder.up_blocks.\(level).resnets.\(block).conv1.weight"
        }
        let levels = count { residual($0, 0) }
        guard (1...8).contains(levels) else {
            throw ModelError(file.path, "\(prefix)decoder.up: found \(levels) resolutions, expected 1 to 8")
        }
        var channels: [JSONValue] = []
        for level in 0..<levels {
            // The original counts from the finest, as configurations do, and diffusers from the coarsest.
            let weight = try require(residual(isOriginal ? level : levels - 1 - level, 0), rank: 4)
            channels.append(.integer(weight[0]))
        }
        let queries = ["mid.attn_1.q", "mid_block.attentions.0.to_q", "mid_block.attentions.0.query"]
        let fields: [String: JSONValue] = [
            "_class_name": .string("AutoencoderKL"), "in_channels": .integer(3), "out_channels": .integer(output[0]),
            "latent_channels": .integer(input[1]), "block_out_channels": .list(channels),
            "layers_per_block": .integer(count { residual(0, $0) } - 1),
            "norm_num_groups": .integer(conventions.groups), "act_fn": .string("silu"),
            "scaling_factor": .number(kind.isXL ? 0.13025 : 0.18215),
            "down_block_types": .list([JSONValue](repeating: .string("DownEncoderBlock2D"), count: levels)),
            "up_block_types": .list([JSONValue](repeating: .string("UpDecoderBlock2D"), count: levels)),
            "use_quant_conv": .flag(has(prefix + "quant_conv.weight")),
            "use_post_quant_conv": .flag(has(prefix + "post_quant_conv.weight")),
            "mid_block_add_attention": .flag(queries.contains { has("\(prefix)decoder.\($0).weight") }),
        ]
        return (fields, isOriginal ? .originalAutoencoder(prefix: prefix, levels: levels) : .diffusersAutoencoder)
    }

    /// The configuration of the decoder of a tiny autoencoder in the layout of its author, `taesd_decoder.safetensors`:
    /// a sequence of layers in which what clamps, rectifies or enlarges is counted and has no weights
    /// (<https://github.com/madebyollin/taesd>, `taesd.py`). Nil for another file.
    func tinyDecoder() throws(ModelError) -> [String: JSONValue]? {
        func isBlock(_ index: Int) -> Bool { has("\(index).conv.0.weight") }
        guard has("1.weight"), isBlock(3) else { return nil }
        let entrance = try require("1.weight", rank: 4)
        var blocks: [JSONValue] = []
        var index = 3
        while blocks.count < 8 {
            let first = index
            while isBlock(index) { index += 1 }
            blocks.append(.integer(index - first))
            if has("\(index).weight") { break }
            index += 2
        }
        let channels = JSONValue.list([JSONValue](repeating: .integer(entrance[0]), count: blocks.count))
        return [
            "_class_name": .string("AutoencoderTiny"), "latent_channels": .integer(entrance[1]),
            "encoder_block_out_channels": channels, "decoder_block_out_channels": channels,
            "num_encoder_blocks": .list(blocks), "num_decoder_blocks": .list(blocks),
        ]
    }
}
