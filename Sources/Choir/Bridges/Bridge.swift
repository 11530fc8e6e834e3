public import ChoirTensor

/// A synchronisation rule: what tiles exchange, when in the step, how far it reaches and how it is merged. Never how it
/// is sent.
///
/// A painting has one rule that merges: it says where tiles lie in a step, whether they look at one canvas, and by which
/// weights what they predict becomes one field. It may have another that speaks: it says what tiles read of each other.
/// The pipeline does the rest, so no rule knows of modules, threads or hosts.
public protocol Bridge: Sendable {
    /// The name that requests use.
    var kind: BridgeKind { get }

    /// Whether all tiles look at one canvas, so that each sees what its neighbours did in the step before. If not, each
    /// keeps a state of its own from the first noise to the clean tile, and only cores meet, at the end.
    var sharesCanvas: Bool { get }

    /// Whether neighbouring tiles share the cells that a request's overlap says.
    var overlaps: Bool { get }

    /// Cuts an axis for this rule.
    ///
    /// - Parameters:
    ///   - length: Cells along the canvas; a multiple of the alignment, unless the axis wraps.
    ///   - cut: What was asked for.
    /// - Returns: Windows that cover the axis.
    func axis(length: Int, _ cut: TileCut) -> TileAxis

    /// Where the windows of an axis lie in an evaluation.
    ///
    /// - Parameters:
    ///   - axis: What `axis(length:_:)` made.
    ///   - evaluation: The index of the prediction of the canvas in its stage, from 0.
    ///   - direction: Which of the canvas's axes it is.
    /// - Returns: As many windows of the same length.
    func move(_ axis: TileAxis, at evaluation: Int, along direction: CanvasAxis) -> TileAxis

    /// The weights by which predictions of the tiles along one axis are merged.
    ///
    /// - Returns: For each window of the axis, one weight a cell. At each cell of the axis the weights sum to 1.
    func mergeWeights(along axis: TileAxis) -> [[Float]]

    /// What every tile reads before it is denoised, or nil if this bridge gives no context.
    ///
    /// - Parameter publications: What each tile published last, `[tokens, width]`, in the order of the plan.
    /// - Returns: `[tokens of all tiles, width]`.
    func context(from publications: [Tensor]) -> Tensor?
}

/// What a request asks of tiles along one axis.
public struct TileCut: Hashable, Sendable {
    /// Cells along a tile, a side that was named or that suits the model.
    public var window: Int

    /// Whether the window may be changed to one that cuts the axis better.
    public var isFitted: Bool

    /// Cells that neighbouring tiles share at least, where the rule has overlaps.
    public var overlap: Int

    /// What windows and starts are multiples of.
    public var alignment: Int

    /// Whether the axis is a ring.
    public var wraps: Bool

    /// A cut.
    public init(window: Int, isFitted: Bool = false, overlap: Int, alignment: Int, wraps: Bool = false) {
        self.window = window
        self.isFitted = isFitted
        self.overlap = overlap
        self.alignment = alignment
        self.wraps = wraps
    }
}

/// A direction on the canvas.
public enum CanvasAxis: Hashable, Sendable, CaseIterable {
    /// From left to right.
    case x
    /// From top to bottom.
    case y
}

extension Bridge {
    /// One canvas.
    public var sharesCanvas: Bool { true }

    /// They do.
    public var overlaps: Bool { true }

    /// Windows that are spread evenly and share the overlap that was asked for.
    public func axis(length: Int, _ cut: TileCut) -> TileAxis {
        TileAxis(
            length: length, window: cut.window, overlap: cut.overlap, alignment: cut.alignment, wraps: cut.wraps)
    }

    /// Windows stay where they are.
    public func move(_ axis: TileAxis, at evaluation: Int, along direction: CanvasAxis) -> TileAxis { axis }

    /// Each tile has the say in its core: weight 1 there, 0 elsewhere.
    public func mergeWeights(along axis: TileAxis) -> [[Float]] {
        zip(axis.starts, axis.cores).map { start, core in
            (start..<start + axis.window).map { core.contains($0) ? 1 : 0 }
        }
    }

    /// Gives no context.
    public func context(from publications: [Tensor]) -> Tensor? { nil }

    /// Where the tiles of a plan lie in an evaluation.
    func move(_ plan: TilePlan, at evaluation: Int) -> TilePlan {
        TilePlan(
            columns: move(plan.columns, at: evaluation, along: .x), rows: move(plan.rows, at: evaluation, along: .y))
    }
}
