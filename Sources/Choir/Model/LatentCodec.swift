public import ChoirTensor

/// Turns a finished canvas of latents into the picture that it stands for.
///
/// A model whose canvas is the picture itself has none.
public protocol LatentCodec: Sendable {
    /// The name that reports and metadata state; nil for the model's own, which goes without saying.
    var name: String? { get }

    /// Pixels along a side of a cell.
    var pixelsPerCell: Int { get }

    /// Channels of the canvas.
    var latentChannels: Int { get }

    /// Decodes a canvas without ever holding the whole picture.
    ///
    /// - Parameters:
    ///   - canvas: The clean latents as the sampler leaves them, `[latentChannels, height, width]`, any height and width
    ///     above 0.
    ///   - strip: Is given the picture from top to bottom, one strip after another: `[3, rows, width * pixelsPerCell]`
    ///     (one channel for a grey picture) in -1 ... 1, any number of rows, `height * pixelsPerCell` of them in all.
    ///     The next strip may wait until it returns. What it throws ends the decoding.
    func decode(_ canvas: Tensor, strip: (Tensor) async throws -> Void) async throws

    /// A small picture of a canvas for the eye to follow the painting, as quickly as it can be had.
    ///
    /// - Parameter canvas: Predicted clean latents, `[latentChannels, height, width]`, reduced to a small size.
    /// - Returns: `[3, height * n, width * n]` in -1 ... 1, for an `n` of at most `pixelsPerCell`.
    func preview(of canvas: Tensor) async throws -> Tensor

    /// Bytes that decoding holds at its peak: weights and activations, without the canvas.
    ///
    /// - Parameters:
    ///   - height: Rows of the canvas.
    ///   - width: Columns of the canvas.
    func decodingBytes(height: Int, width: Int) -> Int
}

extension LatentCodec {
    /// The model's own.
    public var name: String? { nil }

    /// The decoded canvas.
    public func preview(of canvas: Tensor) async throws -> Tensor { try await decoded(canvas) }

    /// The whole picture of a canvas, for small ones.
    package func decoded(_ canvas: Tensor) async throws -> Tensor {
        var strips: [Tensor] = []
        try await decode(canvas) { strips.append($0) }
        let height = strips.reduce(0) { $0 + $1.height }
        guard let first = strips.first else { return Tensor(shape: [3, 0, 0]) }
        var picture = Tensor(shape: [first.shape[0], height, first.width])
        var top = 0
        for strip in strips {
            picture.write(strip, x: 0, y: top)
            top += strip.height
        }
        return picture
    }
}
