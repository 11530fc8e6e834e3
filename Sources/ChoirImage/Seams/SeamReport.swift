import Foundation

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
            count = sorted.count
            mean = sorted.reduce(0) { $0 + $1.ratio } / Double(sorted.count)
            p95 = SeamReport.quantile(0.95, of: sorted.map(\.ratio))
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
    /// The ratios of all control lines, ascending.
    public let controlRatios: [Double]
    /// What `borders.worst` is to be compared with: the worst of as many control lines as there are borders, in the median
    /// of all choices of them; nil without control lines.
    ///
    /// The worst of all control lines says less, because there are hundreds of them for each border.
    public let controlWorst: Double?

    init(vertical: [Line], horizontal: [Line], controls: [Line]) throws(ImageError) {
        guard let all = Summary(vertical + horizontal) else {
            throw ImageError(.invalidBorder, "seams", "every line is a border, so there is nothing to compare with")
        }
        borders = all
        self.vertical = Summary(vertical)
        self.horizontal = Summary(horizontal)
        self.controls = Summary(controls)
        controlRatios = controls.map(\.ratio).sorted()
        // The greatest of n draws lies below the quantile q with a probability of q to the power of n.
        controlWorst =
            controls.isEmpty ? nil : Self.quantile(pow(0.5, 1 / Double(all.count)), of: controlRatios)
    }

    /// A quantile of numbers in ascending order, at least one, interpolated between the two nearest.
    private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let rank = share * Double(sorted.count - 1)
        let lower = Int(rank)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (rank - Double(lower)) * (sorted[upper] - sorted[lower])
    }
}
