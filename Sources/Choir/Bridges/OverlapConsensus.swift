import Foundation

/// Tiles agree where they overlap: their predictions are averaged on the canvas, and one sampler step follows.
///
/// MultiDiffusion (Bar-Tal et al. 2023, equation 5) with the smooth weights of Mixture of Diffusers (Jiménez 2023):
///
///     D(x) = sum_i W_i(x) D_i(x) / sum_i W_i(x)
///
/// W is separable. Along an axis it rises as sin² over the overlap with the neighbour, which falls as cos²: two tiles
/// sum to 1 by themselves. An outer margin of the overlap gets no weight, because there a tile's prediction has seen
/// the end of its window in place of the picture.
public struct OverlapConsensus: Bridge {
    /// The share of an overlap at each of its ends that the tile which ends there does not contribute to.
    public static let margin = 0.125

    /// The rule; it has nothing to set.
    public init() {}

    /// The name that requests use.
    public var kind: BridgeKind { .consensus }

    /// sin² ramps over the overlaps, normalised to sum to 1 where more than two tiles meet.
    public func mergeWeights(along axis: TileAxis) -> [[Float]]? {
        let raw = axis.starts.indices.map { index in
            (0..<axis.window).map { offset in
                let cell = Double(axis.starts[index] + offset) + 0.5
                return rise(cell, of: index, along: axis) * fall(cell, of: index, along: axis)
            }
        }
        var sums = [Double](repeating: 0, count: axis.length)
        for (start, weights) in zip(axis.starts, raw) {
            for (offset, weight) in weights.enumerated() { sums[start + offset] += weight }
        }
        // The last tile over a cell takes what is left of 1, so that rounding cannot make the sum drift.
        var left = [Float](repeating: 1, count: axis.length)
        return axis.starts.indices.map { index in
            let start = axis.starts[index]
            let next = index + 1 < axis.starts.count ? axis.starts[index + 1] : axis.length
            return raw[index].enumerated().map { offset, weight in
                let cell = start + offset
                let share = cell < next ? left[cell] : Float(weight / sums[cell])
                left[cell] -= share
                return share
            }
        }
    }

    private func rise(_ cell: Double, of index: Int, along axis: TileAxis) -> Double {
        guard index > 0 else { return 1 }
        return ramp(cell, from: Double(axis.starts[index]), to: Double(axis.starts[index - 1] + axis.window))
    }

    private func fall(_ cell: Double, of index: Int, along axis: TileAxis) -> Double {
        guard index + 1 < axis.starts.count else { return 1 }
        return ramp(cell, from: Double(axis.starts[index] + axis.window), to: Double(axis.starts[index + 1]))
    }

    /// 0 at `start`, 1 at `end`, sin² between, flat over the margins; either direction. Without overlap, a step.
    private func ramp(_ cell: Double, from start: Double, to end: Double) -> Double {
        guard start != end else { return 1 }
        let fraction = ((cell - start) / (end - start) - Self.margin) / (1 - 2 * Self.margin)
        let sine = sin(min(max(fraction, 0), 1) * .pi / 2)
        return sine * sine
    }
}
