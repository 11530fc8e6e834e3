public import ChoirGraph

extension WeightNaming {
    /// The names of attention layers in folders that old versions of diffusers wrote, tried after the present ones.
    public static let diffusersAutoencoder = WeightNaming { name in
        let layers = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]
        for (layer, older) in layers where name.contains(".attentions.0.\(layer).") {
            return [WeightSource(name), WeightSource(name.replacing(".\(layer).", with: ".\(older)."))]
        }
        return [WeightSource(name)]
    }

    /// From the names of diffusers to those of the original layout of an autoencoder, `first_stage_model.…`.
    ///
    /// The original has attention as 1 x 1 convolutions and counts the levels of the decoder from the finest.
    ///
    /// - Parameters:
    ///   - prefix: `first_stage_model.`, or what else stands before the names.
    ///   - levels: The number of resolutions.
    public static func originalAutoencoder(prefix: String, levels: Int) -> WeightNaming {
        WeightNaming { name in
            originalAutoencoderName(name, levels: levels).map { [WeightSource(prefix + $0)] } ?? []
        }
    }

    /// From the names of diffusers to those of the decoder of a tiny autoencoder alone, which counts one layer more.
    static let originalTinyDecoder = WeightNaming { name in
        let words = name.split(separator: ".", maxSplits: 3)
        guard words.count == 4, words[0] == "decoder", let index = Int(words[2]), index < 1000 else { return [] }
        return [WeightSource("\(index + 1).\(words[3])")]
    }

    private static let autoencoderAttention = [
        "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
    ]

    private static func originalAutoencoderName(_ name: String, levels: Int) -> String? {
        let words = name.split(separator: ".").map(String.init)
        guard words.count >= 2, let parameter = words.last else { return nil }
        if words[0] == "quant_conv" || words[0] == "post_quant_conv" { return name }
        guard words[0] == "encoder" || words[0] == "decoder", words.count >= 3 else { return nil }
        switch words[1] {
        case "conv_in", "conv_out": return name
        case "conv_norm_out": return "\(words[0]).norm_out.\(parameter)"
        case "mid_block":
            guard words.count >= 6, let index = Int(words[3]), (0..<1000).contains(index) else { return nil }
            if words[2] == "resnets" {
                return residual("\(words[0]).mid.block_\(index + 1)", words[4], parameter)
            }
            guard words[2] == "attentions", index == 0,
                let layer = autoencoderAttention[words[4..<(words.count - 1)].joined(separator: ".")]
            else { return nil }
            return "\(words[0]).mid.attn_1.\(layer).\(parameter)"
        case "down_blocks", "up_blocks":
            guard words.count >= 6, let block = Int(words[2]), (0..<levels).contains(block), Int(words[4]) != nil
            else { return nil }
            let isDown = words[1] == "down_blocks"
            let level = isDown ? "down.\(block)" : "up.\(levels - 1 - block)"
            switch words[3] {
            case "resnets": return residual("\(words[0]).\(level).block.\(words[4])", words[5], parameter)
            case "downsamplers" where isDown: return "\(words[0]).\(level).downsample.\(words[5]).\(parameter)"
            case "upsamplers" where !isDown: return "\(words[0]).\(level).upsample.\(words[5]).\(parameter)"
            default: return nil
            }
        default: return nil
        }
    }

    private static func residual(_ place: String, _ layer: String, _ parameter: String) -> String {
        "\(place).\(layer == "conv_shortcut" ? "nin_shortcut" : layer).\(parameter)"
    }
}
