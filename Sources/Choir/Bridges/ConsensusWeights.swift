import Foundation

/// How much a tile has to say in each cell of its window, before the weights of all tiles are made to sum to 1.
///
/// With n cells along the window and i the cell, 0 ..< n. Ramps stand over the overlap with the neighbour, which has the
/// falling one; at an edge of the canvas there is none.
public enum ConsensusWeights: String, Hashable, Sendable, Codable, CaseIterable {
    /// W(i) = 1: the plain mean of MultiDiffusion (Bar-Tal et al. 2023).
    case uniform

    /// A ramp u over the overlap, 1 elsewhere; u rises from 0 to 1 in a straight line.
    case linear

    /// A ramp sin²(π u' / 2) over the overlap, 1 elsewhere, where u' = (u - m) / (1 - 2 m) within 0 ... 1.
    ///
    /// It and the neighbour's cos² sum to 1 by themselves. A margin m of the overlap at each of its ends gets no
    /// weight, because there a tile's prediction has seen the end of its window in place of the picture.
    case hann

    /// W(i) = exp(-(i - c)² / (2 · 0.01 · n²)), c = (n - 1) / 2, over the whole window.
    ///
    /// Mixture of Diffusers (Jiménez 2023, section 3.2). Its code, and ports of it, centre rows at n / 2 and scale
    /// them by the width; the centre here is the middle of each axis, and n is its own.
    case gaussian

    /// The share of an overlap at each of its ends that the tile which ends there does not contribute to, in `hann`.
    public static let margin = 0.125

    /// Weights by their name.
    ///
    /// - Throws: `RequestError` that lists the names there are.
    public init(name: String) throws(RequestError) {
        guard let weights = Self(rawValue: name.lowercased()) else {
            throw RequestError(
                "bridge weights", found: name,
                expected: "one of " + Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = weights
    }

    /// The weights of one window of an axis, one a cell.
    func raw(of index: Int, along axis: TileAxis) -> [Double] {
        let (start, window) = (axis.starts[index], axis.window)
        switch self {
        case .uniform:
            return [Double](repeating: 1, count: window)
        case .gaussian:
            let (count, centre) = (Double(window), Double(window - 1) / 2)
            return (0..<window).map { exp(-pow(Double($0) - centre, 2) / (0.02 * count * count)) }
        case .linear, .hann:
            let before = axis.start(before: index).map { Double($0 + window) }
            let after = axis.start(after: index).map(Double.init)
            let ends = (start: Double(start), end: Double(start + window))
            return (0..<window).map { offset in
                let cell = Double(start + offset) + 0.5
                let rise = before.map { ramp(cell, from: ends.start, to: $0) } ?? 1
                let fall = after.map { ramp(cell, from: ends.end, to: $0) } ?? 1
                return rise * fall
            }
        }
    }

    /// 0 at `start`, 1 at `end`, in either direction. Without overlap, a step.
    private func ramp(_ cell: Double, from start: Double, to end: Double) -> Double {
        guard start != end else { return 1 }
        let position = (cell - start) / (end - start)
        guard self == .hann else { return min(max(position, 0), 1) }
        let fraction = (position - Self.margin) / (1 - 2 * Self.margin)
        let sine = sin(min(max(fraction, 0), 1) * .pi / 2)
        return sine * sine
    }
}

extension TileAxis {
    /// Where the window before one begins, on this axis or around its end; nil at the edge of the canvas.
    func start(before index: Int) -> Int? {
        if index > 0 { return starts[index - 1] }
        return wraps ? starts[starts.count - 1] - length : nil
    }

    /// Where the window after one begins, on this axis or around its end; nil at the edge of the canvas.
    func start(after index: Int) -> Int? {
        if index + 1 < starts.count { return starts[index + 1] }
        return wraps ? starts[0] + length : nil
    }
}
