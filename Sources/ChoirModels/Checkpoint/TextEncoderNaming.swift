public import ChoirGraph

extension WeightNaming {
    /// The names of a text encoder in a folder of transformers, with or without `text_model.` in front.
    ///
    /// Older versions write it for all encoders, newer ones only for those with a projection.
    public static let transformersTextEncoder = prefixedTextEncoder("")

    /// From the names of transformers to those of CLIP ViT-L in a single file, which has them under a prefix.
    ///
    /// - Parameter prefix: `cond_stage_model.transformer.` or `conditioner.embedders.0.transformer.`.
    public static func originalCLIP(prefix: String) -> WeightNaming { prefixedTextEncoder(prefix) }

    private static func prefixedTextEncoder(_ prefix: String) -> WeightNaming {
        WeightNaming { name in
            let bare = withoutTextModel(name)
            // The projection is beside the text model, not in it.
            guard bare != "text_projection.weight" else { return [WeightSource(prefix + bare)] }
            return [WeightSource("\(prefix)text_model.\(bare)"), WeightSource(prefix + bare)]
        }
    }

    /// From the names of transformers to those of OpenCLIP, which has query, key and value in one tensor and the
    /// projection the other way round.
    ///
    /// - Parameter prefix: `cond_stage_model.model.` or `conditioner.embedders.N.model.`.
    public static func originalOpenCLIP(prefix: String) -> WeightNaming {
        WeightNaming { name in
            openCLIPSources(withoutTextModel(name)).map { source in
                WeightSource(prefix + source.name, part: source.part, isTransposed: source.isTransposed)
            }
        }
    }

    private static func withoutTextModel(_ name: String) -> String {
        name.hasPrefix("text_model.") ? String(name.dropFirst("text_model.".count)) : name
    }

    private static let openCLIPLayers = [
        "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    ]

    private static func openCLIPSources(_ name: String) -> [WeightSource] {
        switch name {
        case "embeddings.token_embedding.weight": return [WeightSource("token_embedding.weight")]
        case "embeddings.position_embedding.weight": return [WeightSource("positional_embedding")]
        case "final_layer_norm.weight": return [WeightSource("ln_final.weight")]
        case "final_layer_norm.bias": return [WeightSource("ln_final.bias")]
        case "text_projection.weight": return [WeightSource("text_projection", isTransposed: true)]
        default: break
        }
        let words = name.split(separator: ".").map(String.init)
        guard words.count >= 5, words[0] == "encoder", words[1] == "layers", let layer = Int(words[2]), layer >= 0
        else { return [] }
        let parameter = words[words.count - 1]
        let block = "transformer.resblocks.\(layer)"
        let inner = words[3..<(words.count - 1)].joined(separator: ".")
        if let original = openCLIPLayers[inner] { return [WeightSource("\(block).\(original).\(parameter)")] }
        let parts = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
        guard let index = parts.firstIndex(of: inner) else { return [] }
        return [WeightSource("\(block).attn.in_proj_\(parameter)", part: .init(index: index, of: 3))]
    }
}
