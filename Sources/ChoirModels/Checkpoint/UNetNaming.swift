public import ChoirGraph

extension WeightNaming {
    /// From the names of diffusers to those of the original layout of a UNet, `model.diffusion_model.…`.
    ///
    /// The original counts all layers of the way down in one list and all of the way up in another (CompVis'
    /// `openaimodel.py`, Stability AI's `generative-models`).
    public static func originalUNet(_ configuration: UNetConfiguration) -> WeightNaming {
        WeightNaming { name in
            originalUNetName(name, configuration).map { [WeightSource("model.diffusion_model." + $0)] } ?? []
        }
    }

    private static let unetLayers = [
        "conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2", "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2", "conv_norm_out": "out.0", "conv_out": "out.2",
    ]

    private static let unetResidualLayers = [
        "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
        "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
    ]

    private static func originalUNetName(_ name: String, _ configuration: UNetConfiguration) -> String? {
        let words = name.split(separator: ".").map(String.init)
        guard words.count >= 2, let parameter = words.last else { return nil }
        if let layer = unetLayers[words.dropLast().joined(separator: ".")] { return "\(layer).\(parameter)" }
        switch words[0] {
        case "mid_block":
            guard words.count >= 5, let index = Int(words[2]) else { return nil }
            switch (words[1], index) {
            case ("resnets", 0), ("resnets", 1): return residual("middle_block.\(2 * index)", words.dropFirst(3))
            case ("attentions", 0): return "middle_block.1." + words.dropFirst(3).joined(separator: ".")
            default: return nil
            }
        case "down_blocks", "up_blocks":
            guard words.count >= 6, let block = Int(words[1]), let index = Int(words[3]),
                configuration.channels.indices.contains(block), (0..<1000).contains(index)
            else { return nil }
            return originalBlockName(
                isDown: words[0] == "down_blocks", block: block, kind: words[2], index: index, words.dropFirst(4),
                configuration)
        default: return nil
        }
    }

    private static func originalBlockName(
        isDown: Bool, block: Int, kind: String, index: Int, _ rest: ArraySlice<String>,
        _ configuration: UNetConfiguration
    ) -> String? {
        let layers = isDown ? configuration.layersPerBlock : configuration.layersPerBlock.reversed()
        // Each level takes its layers and one more: on the way down the downsampler, on the way up a further layer.
        let first = layers[..<block].reduce(isDown ? 1 : 0) { $0 + $1 + 1 }
        let list = isDown ? "input_blocks" : "output_blocks"
        switch kind {
        case "resnets": return residual("\(list).\(first + index).0", rest)
        case "attentions": return "\(list).\(first + index).1." + rest.joined(separator: ".")
        case "downsamplers" where isDown && rest.first == "conv":
            return "\(list).\(first + layers[block]).0.op." + rest.dropFirst().joined(separator: ".")
        case "upsamplers" where !isDown:
            let place = configuration.upAttention[block] ? 2 : 1
            return "\(list).\(first + layers[block]).\(place)." + rest.joined(separator: ".")
        default: return nil
        }
    }

    private static func residual(_ place: String, _ rest: ArraySlice<String>) -> String? {
        guard rest.count == 2, let name = rest.first, let parameter = rest.last, let layer = unetResidualLayers[name]
        else { return nil }
        return "\(place).\(layer).\(parameter)"
    }
}
