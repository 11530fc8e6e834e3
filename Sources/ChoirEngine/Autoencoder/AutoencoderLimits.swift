/// How much an autoencoder may hold in memory at a time, whatever the canvas.
public struct AutoencoderLimits: Hashable, Sendable {
    /// The most cells of a canvas that is decoded whole, at the size that SDXL was made for 4.0 GB in all.
    public var wholeCells = 16_384

    /// The longest side of a tile's core, in cells.
    public var tileSide = 64

    /// The most cells or means of cells that a cell attends to at the coarsest level.
    ///
    /// Up to this many cells of a canvas attention is that of a whole decode; with Stable Diffusion 2048 x 2048 pixels.
    /// The work of attention grows with it: at the default, and 4096 x 4096 pixels, it is a third of that of all tiles.
    public var attentionTokens = 65_536

    /// The most bytes of what attention gives for a whole canvas that are kept, so that it is computed once.
    ///
    /// At the default up to 4096 x 4096 pixels with Stable Diffusion; for larger canvases it is computed again for the
    /// tiles.
    public var attendedBytes = 1 << 29

    /// The most bytes of activations from which statistics are taken.
    public var statisticsBytes = 1 << 30

    /// The most pixels of a picture that is encoded, which is done whole.
    public var encodedPixels = 2048 * 2048

    /// The default limits.
    public init() {}
}
