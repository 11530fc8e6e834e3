/// Tiles agree where they overlap: their predictions are averaged on the canvas, and one sampler step follows.
///
/// MultiDiffusion (Bar-Tal et al. 2023, equation 5), which averages what the sampler made of each tile; here predictions
/// are averaged, as in Mixture of Diffusers (Jiménez 2023), so that there is one sampler, of any kind, for the canvas:
///
///     D(x) = sum_i W_i(x) D_i(x) / sum_i W_i(x)
///
/// For samplers that are linear in the prediction, such as DDIM, the two are the same. W is separable: a product of a
/// column's and a row's weight, each a `ConsensusWeights`.
public struct OverlapConsensus: Bridge {
    /// How much each tile has to say, and where.
    public let weights: ConsensusWeights

    /// The rule with weights, hann if none are named.
    public init(weights: ConsensusWeights = .hann) { self.weights = weights }

    /// The name that requests use.
    public var kind: BridgeKind { .consensus }

    /// The weights of all tiles over each cell, divided by their sum.
    public func mergeWeights(along axis: TileAxis) -> [[Float]] {
        let raw = axis.starts.indices.map { weights.raw(of: $0, along: axis) }
        var sums = [Double](repeating: 0, count: axis.length)
        var rest = [Int](repeating: 0, count: axis.length)
        for (start, weights) in zip(axis.starts, raw) {
            for (offset, weight) in weights.enumerated() {
                sums[(start + offset) % axis.length] += weight
                rest[(start + offset) % axis.length] += 1
            }
        }
        // The last tile over a cell takes what is left of 1, so that rounding cannot make the sum drift.
        var left = [Float](repeating: 1, count: axis.length)
        return zip(axis.starts, raw).map { start, weights in
            weights.enumerated().map { offset, weight in
                let cell = (start + offset) % axis.length
                rest[cell] -= 1
                let share = rest[cell] == 0 ? left[cell] : Float(weight / sums[cell])
                left[cell] -= share
                return share
            }
        }
    }
}
