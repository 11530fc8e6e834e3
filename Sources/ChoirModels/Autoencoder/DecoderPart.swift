/// A stretch of the decoder of ``AutoencoderKLConfiguration``; names are those of diffusers.
package enum DecoderPart: Hashable, Sendable {
    /// Scaling, the 1 x 1 convolution if there is one, and the first 3 x 3 convolution.
    case entrance
    /// Two normalisations and convolutions beside a shortcut.
    case residual(name: String, inputs: Int, outputs: Int)
    /// Attention of all cells to all cells.
    case attention(name: String, channels: Int)
    /// To the next level, with a convolution.
    case upsampling(name: String, channels: Int)
    /// The last normalisation and convolution.
    case exit

    /// How many 3 x 3 convolutions one follows after another.
    package var reach: Int {
        switch self {
        case .entrance, .upsampling, .exit: 1
        case .residual: 2
        case .attention: 0
        }
    }

    fileprivate var isAttention: Bool {
        if case .attention = self { true } else { false }
    }
}

extension AutoencoderKLConfiguration {
    /// The decoder from the latents to the picture.
    package var decoderParts: [DecoderPart] {
        let widths = Array(blockChannels.reversed())
        let middle = "decoder.mid_block"
        var parts: [DecoderPart] = [
            .entrance, .residual(name: "\(middle).resnets.0", inputs: widths[0], outputs: widths[0]),
        ]
        if hasAttention { parts.append(.attention(name: "\(middle).attentions.0", channels: widths[0])) }
        parts.append(.residual(name: "\(middle).resnets.1", inputs: widths[0], outputs: widths[0]))
        for (level, width) in widths.enumerated() {
            let block = "decoder.up_blocks.\(level)"
            for layer in 0...layersPerBlock {
                let inputs = layer == 0 ? widths[max(level - 1, 0)] : width
                parts.append(.residual(name: "\(block).resnets.\(layer)", inputs: inputs, outputs: width))
            }
            if level + 1 < widths.count {
                parts.append(.upsampling(name: "\(block).upsamplers.0", channels: width))
            }
        }
        return parts + [.exit]
    }

    /// What a tile of a large canvas goes through by itself: what comes after attention, which is of the whole canvas.
    package var tileParts: [DecoderPart] {
        let parts = decoderParts
        return Array(parts[((parts.firstIndex(where: \.isAttention) ?? -1) + 1)...])
    }

    /// For each level of the decoder, how many 3 x 3 convolutions work at it.
    package var decoderReaches: [Int] { Self.reaches(of: decoderParts) }

    /// For each level of the decoder, how many of them a tile goes through by itself.
    package var tileReaches: [Int] { Self.reaches(of: tileParts) }

    /// How many 3 x 3 convolutions come before attention.
    package var openingReach: Int { decoderReaches[0] - tileReaches[0] }

    private static func reaches(of parts: [DecoderPart]) -> [Int] {
        var reaches = [0]
        for part in parts {
            if case .upsampling = part { reaches.append(0) }
            reaches[reaches.count - 1] += part.reach
        }
        return reaches
    }
}
