import Foundation

/// How a UNet lets tiles attend to each other: at some self-attention layers it publishes keys and values, averaged
/// over squares of cells, and reads those of other tiles together with its own.
///
/// All layers average over the same squares of the latent, so a tile publishes one row of numbers for each square: the
/// keys and values of all layers side by side. A layer at a coarser resolution averages over fewer of its own tokens,
/// `(cellsPerToken / factor)²`.
///
/// A published token stands for that many tokens, so its score has their logarithm added: `n · exp(s) = exp(s + ln n)`.
/// In a region of one colour the softmax then weighs it as it would weigh the tokens themselves. What of the square is
/// in the reading tile anyway must not be read twice; so the reader says how much of each token counts, see
/// ``bias(ofFraction:)``.
public struct UNetBridge: Hashable, Sendable {
    /// The names of the layers, as `UNetConfiguration.selfAttentionLayers` lists them.
    public var layers: Set<String>

    /// Side of the square of latent cells that a token stands for; a multiple of the factor of every layer.
    public var cellsPerToken: Int

    /// Tokens that the tile reads, of all other tiles together; 0 to publish only.
    public var contextTokens: Int

    /// A bridge at chosen layers.
    public init(layers: Set<String>, cellsPerToken: Int, contextTokens: Int) {
        self.layers = layers
        self.cellsPerToken = cellsPerToken
        self.contextTokens = contextTokens
    }

    /// What the input `contextBias` says of a token.
    ///
    /// - Parameter fraction: How much of the token's square counts, from 0 (it lies in the reading tile, or another
    ///   token tells of the same cells) to 1.
    /// - Returns: Its logarithm; for 0 a number so low that the softmax in f32 gives exactly 0, and no infinity.
    public static func bias(ofFraction fraction: Double) -> Float {
        fraction > 0 ? max(Float(log(fraction)), hidden) : hidden
    }

    /// The bias of a token that must not be read.
    public static let hidden: Float = -1e4
}

/// A self-attention layer of a UNet.
public struct UNetSelfAttention: Hashable, Sendable {
    /// The name in the files of diffusers, such as `mid_block.attentions.0.transformer_blocks.0.attn1`.
    public var name: String
    /// Channels, hence the width of a key and of a value.
    public var channels: Int
    /// Side of the square of latent cells that one of the layer's tokens stands for; a power of two.
    public var factor: Int
}

extension UNetConfiguration {
    /// All self-attention layers, in the order in which they are computed.
    public var selfAttentionLayers: [UNetSelfAttention] {
        var layers: [UNetSelfAttention] = []
        func add(_ block: String, level: Int, attentions: Int) {
            for attention in 0..<attentions {
                for transformer in 0..<transformerLayers[level] {
                    let name = "\(block).attentions.\(attention).transformer_blocks.\(transformer).attn1"
                    layers.append(UNetSelfAttention(name: name, channels: channels[level], factor: 1 << level))
                }
            }
        }
        let last = channels.count - 1
        for level in 0...last where downAttention[level] {
            add("down_blocks.\(level)", level: level, attentions: layersPerBlock[level])
        }
        add("mid_block", level: last, attentions: 1)
        for block in 0...last where upAttention[block] {
            add("up_blocks.\(block)", level: last - block, attentions: layersPerBlock[last - block] + 1)
        }
        return layers
    }

    /// Layers that are a good choice for a bridge: the first transformer of the middle and of each attention at the
    /// coarsest resolution of the way up that has any, where the picture's arrangement is decided and tokens are few.
    public var bridgeLayers: Set<String> {
        let first = selfAttentionLayers.filter { $0.name.contains(".transformer_blocks.0.") }
        let coarsest = first.filter { $0.name.hasPrefix("up_blocks.") }.map(\.factor).max()
        return Set(
            first.filter { $0.name.hasPrefix("mid_block.") || $0.name.hasPrefix("up_blocks.") && $0.factor == coarsest }
                .map(\.name))
    }

    /// Numbers that a tile publishes for each token: keys and values of the bridge's layers.
    public func publicationWidth(_ bridge: UNetBridge) -> Int {
        selfAttentionLayers.filter { bridge.layers.contains($0.name) }.reduce(0) { $0 + 2 * $1.channels }
    }
}
