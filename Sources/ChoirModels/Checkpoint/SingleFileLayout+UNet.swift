import ChoirTensor

extension SingleFileLayout {
    /// One resolution of the way down, as its tensors show it.
    private struct Level {
        var channels: Int
        var layers = 0
        var hasAttention = false
        var transformers = 1
    }

    /// The configuration of the UNet, under the names of diffusers.
    func unetFields() throws(ModelError) -> [String: JSONValue] {
        let prefix = Self.unetPrefix
        let input = try require(prefix + "input_blocks.0.0.weight", rank: 4)
        let output = try require(prefix + "out.2.weight", rank: 4)
        var levels = try self.levels()
        let middle = count { "\(prefix)middle_block.1.transformer_blocks.\($0).norm1.weight" }
        guard let last = levels.last, middle > 0, !last.hasAttention || last.transformers == middle else {
            throw ModelError(
                file.path,
                "\(prefix)middle_block.1: found \(middle) transformer layers, expected 1 or more, as many "
                    + "as at the coarsest resolution")
        }
        levels[levels.count - 1].transformers = middle
        let up = try upAttention(levels)

        let attention = prefix + "middle_block.1"
        let text = try require("\(attention).transformer_blocks.0.attn2.to_k.weight", rank: 2)
        let isLinear = shape("\(attention).proj_in.weight", rank: 2) != nil
        let heads: JSONValue =
            isLinear
            ? .list(levels.map { .integer(max($0.channels / conventions.headWidth, 1)) }) : .integer(conventions.heads)
        var fields: [String: JSONValue] = [
            "_class_name": .string("UNet2DConditionModel"), "in_channels": .integer(input[1]),
            "out_channels": .integer(output[0]), "block_out_channels": .list(levels.map { .integer($0.channels) }),
            "layers_per_block": .list(levels.map { .integer($0.layers) }),
            "transformer_layers_per_block": .list(levels.map { .integer($0.transformers) }),
            "down_block_types": .list(
                levels.map { .string($0.hasAttention ? "CrossAttnDownBlock2D" : "DownBlock2D") }),
            "up_block_types": .list(up.map { .string($0 ? "CrossAttnUpBlock2D" : "UpBlock2D") }),
            "cross_attention_dim": .integer(text[1]), "attention_head_dim": heads,
            "use_linear_projection": .flag(isLinear), "norm_num_groups": .integer(conventions.groups),
        ]
        if has(prefix + "label_emb.0.0.weight") {
            let label = try require(prefix + "label_emb.0.0.weight", rank: 2)
            fields["addition_embed_type"] = .string("text_time")
            fields["addition_time_embed_dim"] = .integer(conventions.timeIDWidth)
            fields["projection_class_embeddings_input_dim"] = .integer(label[1])
        }
        return fields
    }

    private func levels() throws(ModelError) -> [Level] {
        let first = try require(Self.unetPrefix + "input_blocks.1.0.in_layers.2.weight", rank: 4)
        var levels = [Level(channels: first[0])]
        var block = 1
        while levels.count <= 8, block < 512 {
            let name = "\(Self.unetPrefix)input_blocks.\(block)"
            let current = levels.count - 1
            if has("\(name).0.op.weight") {
                let next = try require("\(Self.unetPrefix)input_blocks.\(block + 1).0.in_layers.2.weight", rank: 4)
                levels.append(Level(channels: next[0]))
            } else if has("\(name).0.in_layers.2.weight") {
                let weight = try require("\(name).0.in_layers.2.weight", rank: 4)
                guard weight[0] == levels[current].channels else {
                    throw ModelError(
                        file.path,
                        "tensor \"\(name).0.in_layers.2.weight\": found \(weight[0]) outputs, expected "
                            + "\(levels[current].channels) as in the blocks before")
                }
                let transformers = count { "\(name).1.transformer_blocks.\($0).norm1.weight" }
                if levels[current].layers == 0 {
                    levels[current].hasAttention = transformers > 0
                    levels[current].transformers = max(transformers, 1)
                }
                guard transformers == (levels[current].hasAttention ? levels[current].transformers : 0) else {
                    throw ModelError(
                        file.path,
                        "\(name).1: found \(transformers) transformer layers, expected as many as in the blocks before")
                }
                levels[current].layers += 1
            } else {
                break
            }
            block += 1
        }
        return levels
    }

    /// Whether there is attention at each resolution of the way up, from the coarsest.
    private func upAttention(_ levels: [Level]) throws(ModelError) -> [Bool] {
        var (attention, block): ([Bool], Int) = ([], 0)
        for level in levels.reversed() {
            let name = "\(Self.unetPrefix)output_blocks.\(block)"
            _ = try require("\(name).0.in_layers.2.weight", rank: 4)
            attention.append(has("\(name).1.transformer_blocks.0.norm1.weight"))
            block += level.layers + 1
        }
        return attention
    }
}
