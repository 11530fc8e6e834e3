/// One axis of the squares around places: for each place, from where to where, in fractions of the picture.
struct RegionAxis {
    let boxes: [RegionSpan]

    /// From the first box to the last; the whole axis, where boxes lie apart.
    let extent: RegionSpan

    /// - Parameters:
    ///   - starts: The first cell of each place.
    ///   - cell: Cells of a place.
    ///   - length: Cells of the picture; places beyond it count as its last, or on a ring as those at its other end.
    ///   - soft: The square's side at least, as a fraction.
    ///   - wraps: Whether the axis is a ring.
    ///   - isWindow: Whether places lie side by side.
    init(starts: [Int], cell: Int, length: Int, soft: Double, wraps: Bool, isWindow: Bool) {
        let half = min(1, Double(cell) / Double(length)) / 2
        let reach = max(half, soft / 2)
        let ranges = starts.map { start in
            let middle = (Double(start) + Double(cell) / 2) / Double(length)
            guard !wraps else { return middle - reach...middle + reach }
            let inside = min(max(middle, half), 1 - half)
            return max(0, inside - reach)...min(1, inside + reach)
        }
        boxes = ranges.map { RegionSpan($0, wraps: wraps) }
        guard isWindow, let first = ranges.first, let last = ranges.last else {
            extent = RegionSpan(0...1, wraps: wraps)
            return
        }
        extent = RegionSpan(first.lowerBound...last.upperBound, wraps: wraps)
    }

    /// The share of each box that a range covers.
    func shares(of range: ClosedRange<Double>) -> [Double] { boxes.map { $0.share(of: range) } }
}

/// A part of an axis in fractions of its length; on a ring it may go on at the other end.
struct RegionSpan {
    /// One range, or two of a ring.
    let parts: [ClosedRange<Double>]

    /// - Parameters:
    ///   - range: From where to where; on a ring it may reach beyond 0 ... 1, or even go round.
    ///   - wraps: Whether the axis is a ring.
    init(_ range: ClosedRange<Double>, wraps: Bool) {
        let length = range.upperBound - range.lowerBound
        // What rounding leaves beyond the end of a ring is nothing.
        let rounding = 1e-9
        guard wraps else {
            parts = [range]
            return
        }
        let start = range.lowerBound - range.lowerBound.rounded(.down)
        let (lower, upper) = start > 1 - rounding ? (0, length) : (start, start + length)
        if length > 1 - rounding {
            parts = [0...1]
        } else if upper > 1 + rounding {
            parts = [lower...1, 0...upper - 1]
        } else {
            parts = [lower...min(1, upper)]
        }
    }

    private var length: Double { parts.reduce(0) { $0 + $1.upperBound - $1.lowerBound } }

    /// The share of it that a range covers.
    func share(of range: ClosedRange<Double>) -> Double {
        let covered = parts.reduce(0) { sum, part in
            sum + max(0, min(part.upperBound, range.upperBound) - max(part.lowerBound, range.lowerBound))
        }
        return covered / length
    }

    /// Whether it shares more than a border with a range.
    func meets(_ range: ClosedRange<Double>) -> Bool {
        parts.contains { $0.lowerBound < range.upperBound && range.lowerBound < $0.upperBound }
    }

    /// Whether it lies in a range.
    func isWithin(_ range: ClosedRange<Double>) -> Bool { parts.allSatisfy { range.contains($0) } }

    /// The mean over it of what is known of ranges.
    func mean(_ value: (ClosedRange<Double>) -> Double) -> Double {
        guard parts.count > 1 else { return value(parts[0]) }
        return parts.reduce(0) { $0 + value($1) * ($1.upperBound - $1.lowerBound) } / length
    }
}
