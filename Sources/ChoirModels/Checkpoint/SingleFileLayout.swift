import ChoirTensor

/// What a single file does not tell: sizes that all published networks of a family share, and the vocabulary.
package struct SingleFileConventions: Hashable, Sendable {
    /// Groups of the group normalisations.
    package var groups: Int
    /// Heads of the attention of Stable Diffusion 1.x, at all resolutions.
    package var heads: Int
    /// Channels of a head everywhere else.
    package var headWidth: Int
    /// Numbers by which SDXL is told one size.
    package var timeIDWidth: Int
    /// The folder with the vocabulary for a file that has no tokenizer beside it; nil where none is installed.
    package var vocabulary: String?

    /// Those of the published networks.
    package static let published = SingleFileConventions(
        groups: 32, heads: 8, headWidth: 64, timeIDWidth: 256, vocabulary: CLIPVocabulary.directory)

    package init(groups: Int, heads: Int, headWidth: Int, timeIDWidth: Int, vocabulary: String? = nil) {
        self.groups = groups
        self.heads = heads
        self.headWidth = headWidth
        self.timeIDWidth = timeIDWidth
        self.vocabulary = vocabulary
    }
}

/// Reads from the names and shapes of a single file what a configuration would say.
struct SingleFileLayout {
    static let unetPrefix = "model.diffusion_model."

    let file: SafetensorsFile
    let conventions: SingleFileConventions

    /// Where the weights of a text encoder are.
    struct TextEncoder {
        var prefix: String
        var isOpenCLIP: Bool
    }

    /// The extents of a tensor, or nil when there is none of so many axes, or one has no extent.
    func shape(_ name: String, rank: Int) -> [Int]? {
        guard let dimensions = file.tensors[name]?.shape.dimensions, dimensions.count == rank,
            dimensions.allSatisfy({ $0 > 0 })
        else { return nil }
        return dimensions
    }

    /// The extents of a tensor that must be there.
    func require(_ name: String, rank: Int) throws(ModelError) -> [Int] {
        guard let dimensions = shape(name, rank: rank) else {
            guard let found = file.tensors[name] else { throw ModelError(file.path, "the tensor \(name) is missing") }
            throw ModelError(file.path, "tensor \"\(name)\": found \(found.shape), expected \(rank) positive extents")
        }
        return dimensions
    }

    func has(_ name: String) -> Bool { file.tensors[name] != nil }

    /// How many of a numbered list of tensors there are; `name` gives that of a number.
    func count(_ name: (Int) -> String) -> Int {
        var count = 0
        while has(name(count)) { count += 1 }
        return count
    }

    // MARK: What it is

    /// The family: SDXL has a label embedding; 2.x has linear maps around attention, or an OpenCLIP text encoder.
    func kind() throws(ModelError) -> CheckpointKind {
        let unet = Self.unetPrefix
        guard has(unet + "input_blocks.0.0.weight") else {
            throw ModelError(
                file.path,
                "expected a checkpoint in the original layout, whose UNet begins with the tensor "
                    + "\(unet)input_blocks.0.0.weight; parts alone are opened as folders of diffusers")
        }
        // Fine-tuned files of SDXL carry these with other noise levels, which would be painted wrongly.
        if let name = ["edm_mean", "edm_vpred.sigma_max"].first(where: has) {
            throw ModelError(
                file.path,
                "found the tensor \(name), of a network with EDM's noise levels; expected one with those of "
                    + "Stable Diffusion")
        }
        if has(unet + "label_emb.0.0.weight") {
            if has("conditioner.embedders.1.model.ln_final.weight") { return .sdxlBase }
            if has("conditioner.embedders.0.model.ln_final.weight") { return .sdxlRefiner }
            // Without text encoders: the refiner has a fourth resolution, the base three.
            return has(unet + "input_blocks.9.0.op.weight") ? .sdxlRefiner : .sdxlBase
        }
        let isOpenCLIP = has("cond_stage_model.model.ln_final.weight")
        let projection = file.tensors.first {
            $0.key.hasPrefix(unet + "input_blocks.") && $0.key.hasSuffix(".1.proj_in.weight")
        }
        return isOpenCLIP || projection?.value.shape.rank == 2 ? .stableDiffusion2 : .stableDiffusion1
    }

    // MARK: Text encoders

    func textEncoder(_ part: CheckpointPart, _ kind: CheckpointKind) -> TextEncoder? {
        let candidates: [TextEncoder]
        switch (kind, part) {
        case (.sdxlBase, .textEncoder2):
            candidates = [TextEncoder(prefix: "conditioner.embedders.1.model.", isOpenCLIP: true)]
        case (.sdxlRefiner, _): candidates = [TextEncoder(prefix: "conditioner.embedders.0.model.", isOpenCLIP: true)]
        case (.sdxlBase, _):
            candidates = [TextEncoder(prefix: "conditioner.embedders.0.transformer.", isOpenCLIP: false)]
        default:
            candidates = [
                TextEncoder(prefix: "cond_stage_model.transformer.", isOpenCLIP: false),
                TextEncoder(prefix: "cond_stage_model.model.", isOpenCLIP: true),
                // SD-Turbo has the names of SDXL's time.
                TextEncoder(prefix: "conditioner.embedders.0.model.", isOpenCLIP: true),
            ]
        }
        return candidates.first { candidate in file.tensors.keys.contains { $0.hasPrefix(candidate.prefix) } }
    }

    func textFields(_ place: TextEncoder, kind: CheckpointKind) throws(ModelError) -> [String: JSONValue] {
        let prefix = place.prefix
        func first(_ names: [String]) -> String { names.first(where: has) ?? names[0] }
        let inner = has("\(prefix)text_model.embeddings.token_embedding.weight") ? "\(prefix)text_model." : prefix
        let words = try require(
            place.isOpenCLIP ? "\(prefix)token_embedding.weight" : "\(inner)embeddings.token_embedding.weight", rank: 2)
        let positions = try require(
            place.isOpenCLIP ? "\(prefix)positional_embedding" : "\(inner)embeddings.position_embedding.weight",
            rank: 2)
        let hidden = try require(
            place.isOpenCLIP
                ? "\(prefix)transformer.resblocks.0.mlp.c_fc.weight" : "\(inner)encoder.layers.0.mlp.fc1.weight",
            rank: 2)
        var layers = count {
            place.isOpenCLIP
                ? "\(prefix)transformer.resblocks.\($0).ln_1.weight" : "\(inner)encoder.layers.\($0).layer_norm1.weight"
        }
        // Stable Diffusion 2.x takes the features before the last layer, and diffusers leaves that layer out.
        if kind == .stableDiffusion2, place.isOpenCLIP, layers > 1 { layers -= 1 }
        let projection =
            place.isOpenCLIP
            ? shape("\(prefix)text_projection", rank: 2)?[1]
            : shape("\(prefix)text_projection.weight", rank: 2)?[0]
        return [
            "architectures": .list([
                .string(kind.isXL && place.isOpenCLIP ? "CLIPTextModelWithProjection" : "CLIPTextModel")
            ]),
            "model_type": .string("clip_text_model"), "hidden_act": .string(place.isOpenCLIP ? "gelu" : "quick_gelu"),
            "vocab_size": .integer(words[0]), "hidden_size": .integer(words[1]),
            "max_position_embeddings": .integer(positions[0]), "intermediate_size": .integer(hidden[0]),
            "num_hidden_layers": .integer(layers),
            "num_attention_heads": .integer(max(words[1] / conventions.headWidth, 1)),
            "projection_dim": .integer(projection ?? words[1]), "layer_norm_eps": .number(1e-5),
            "bos_token_id": .integer(words[0] - 2), "eos_token_id": .integer(words[0] - 1),
        ]
    }
}
