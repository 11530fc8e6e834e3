public import ChoirTensor

/// A synchronisation rule: what tiles exchange, how far it reaches, and how it is merged. Never how it is sent.
///
/// The pipeline asks the bridges of a painting for two things: once a stage, for the weights by which predictions of
/// tiles become one canvas (the first bridge that has any decides); and before each step, for the context that tiles
/// read.
public protocol Bridge: Sendable {
    /// The name that requests use.
    var kind: BridgeKind { get }

    /// The weights by which predictions of the tiles along one axis are merged, or nil if this bridge merges nothing.
    ///
    /// - Returns: For each window of the axis, one weight a cell. At each cell of the axis the weights sum to 1.
    func mergeWeights(along axis: TileAxis) -> [[Float]]?

    /// What every tile reads before it is denoised, or nil if this bridge gives no context.
    ///
    /// - Parameter publications: What each tile published last, `[tokens, width]`, in the order of the plan.
    /// - Returns: `[tokens of all tiles, width]`.
    func context(from publications: [Tensor]) -> Tensor?
}

extension Bridge {
    /// Merges nothing.
    public func mergeWeights(along axis: TileAxis) -> [[Float]]? { nil }

    /// Gives no context.
    public func context(from publications: [Tensor]) -> Tensor? { nil }
}
