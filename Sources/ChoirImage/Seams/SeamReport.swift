/// How visible the tile borders of a picture are, see ``SeamMeter``.
public struct SeamReport: Hashable, Sendable, Codable {
    /// The direction of a border line.
    public enum Axis: String, Hashable, Sendable, Codable {
        /// Between two columns.
        case vertical
        /// Between two rows.
        case horizontal
    }

    /// One measured line.
    public struct Line: Hashable, Sendable, Codable {
        /// Its direction.
        public let axis: Axis
        /// A line at position p lies between the columns (rows) p - 1 and p.
        public let position: Int
        /// The gradient across it divided by the gradient across its neighbours; 1 means invisible.
        public let ratio: Double
    }

    /// The summary of several lines.
    public struct Summary: Hashable, Sendable, Codable {
        /// The number of lines.
        public let count: Int
        /// The mean of their ratios.
        public let mean: Double
        /// The 95th percentile of their ratios, interpolated between the two nearest.
        public let p95: Double
        /// The line with the largest ratio.
        public let worst: Line

        init?(_ lines: [Line]) {
            let sorted = lines.sorted { $0.ratio < $1.ratio }
            guard let last = sorted.last else { return nil }
            let rank = 0.95 * Double(sorted.count - 1)
            let lower = Int(rank)
            let upper = min(lower + 1, sorted.count - 1)
            count = sorted.count
            mean = sorted.reduce(0) { $0 + $1.ratio } / Double(sorted.count)
            p95 = sorted[lower].ratio + (rank - Double(lower)) * (sorted[upper].ratio - sorted[lower].ratio)
            worst = last
        }
    }

    /// All borders.
    public let borders: Summary
    /// The borders between columns; nil when there are none.
    public let vertical: Summary?
    /// The borders between rows; nil when there are none.
    public let horizontal: Summary?
    /// The control lines, far from all borders, measured in the same way; nil when tiles are too narrow to have any.
    public let controls: Summary?
}
