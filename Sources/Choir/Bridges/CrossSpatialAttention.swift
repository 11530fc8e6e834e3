public import ChoirTensor

/// Every tile attends to every tile: each publishes a few summary tokens, and all read them all.
///
/// The attention itself, with its learned weights, is a layer of the model. This bridge says what it reads: the tokens
/// of all tiles, in the order of the plan, as they were published in the evaluation before (one step stale, as in
/// DistriFusion, Li et al. 2024); in the first evaluation of a stage, as published at its own noise level. It merges
/// nothing by itself and goes with every rule that does.
public struct CrossSpatialAttention: Bridge {
    /// The rule; it has nothing to set.
    public init() {}

    /// The name that requests use.
    public var kind: BridgeKind { .attention }

    /// The tokens of all tiles, one tile after another.
    public func context(from publications: [Tensor]) -> Tensor? {
        guard let width = publications.first?.width else { return nil }
        let elements = publications.flatMap(\.elements)
        return Tensor(shape: [elements.count / width, width], elements: elements)
    }
}
