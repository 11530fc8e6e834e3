public import ChoirTensor

/// What happens while a picture is painted.
public enum PaintEvent: Sendable {
    /// Painting is about to start, or to continue from a run directory.
    case planned(PaintPlan)

    /// A tile was denoised: network evaluations that are done, and how many there are in all.
    case tile(done: Int, count: Int)

    /// All tiles agreed and took a step: how many steps of all stages are done, and how many there are.
    case step(Int, of: Int)

    /// How far tiles disagreed where they overlap, before they were merged; after the step that they took. The mean
    /// over the cells and channels of overlaps of the variance between the tiles that look at a cell, of predictions in
    /// -1 ... 1. Not sent where no tiles overlap.
    case disagreement(Double, step: Int)

    /// The canvas as it will look, reduced to the size that the request asked for: `[channels, height, width]`, in
    /// -1 ... 1.
    case preview(Tensor)

    /// The picture is painted.
    case finished(Painting)
}

/// A finished picture and how it came about.
public struct Painting: Sendable {
    /// What was asked for.
    public let request: PaintRequest

    /// What was planned.
    public let plan: PaintPlan

    /// The name of the model that painted it.
    public let model: String

    /// The clean canvas, `[channels, height, width]` in cells; it may reach beyond the picture on the right and below.
    public let canvas: Tensor

    /// What decodes the canvas; nil if it is the picture, in -1 ... 1.
    public let codec: (any LatentCodec)?

    /// Where the time went.
    public let timings: PaintTimings
}

/// Seconds that the parts of a painting took. Of a painting that was resumed, since it was resumed.
public struct PaintTimings: Hashable, Sendable, Codable {
    /// Compiling the model for the tiles, or reading it from the cache.
    public var compile = 0.0

    /// From the first noise to the finished canvas, without compiling.
    public var denoise = 0.0

    /// Execution time of the network's requests, divided by the requests that can run at once.
    public var network = 0.0

    /// No time at all.
    public init() {}
}
