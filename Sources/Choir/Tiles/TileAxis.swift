/// The windows of a tile plan along one axis, in cells.
///
/// Windows are equally long, each at a multiple of the alignment; together they cover the axis. On an axis that wraps
/// its last cell is a neighbour of its first: windows cross the end and go on at the beginning, and a window that is
/// longer than the axis meets itself.
public struct TileAxis: Hashable, Sendable {
    /// Cells along the canvas.
    public let length: Int

    /// Cells along a tile.
    public let window: Int

    /// Whether the axis is a ring.
    public let wraps: Bool

    /// The first cell of each window, rising; on an axis that does not wrap, from 0 to `length - window`. On a ring a
    /// window may begin beyond the end.
    public let starts: [Int]

    /// The cells that each window has for its own, inside of the window; together they are the axis, each cell once.
    /// On a ring they may lie beyond its end, as windows do.
    public let cores: [Range<Int>]

    /// What starts are multiples of.
    let alignment: Int

    /// Spreads windows evenly over an axis.
    ///
    /// - Parameters:
    ///   - length: Cells along the canvas; a multiple of the alignment, unless the axis wraps.
    ///   - window: Cells along a tile at most; rounded up to a multiple of the alignment. An axis that is shorter gets
    ///     one window of its own length; one that wraps, of its own length and the overlap.
    ///   - overlap: Cells that neighbouring windows share at least; on a ring at most its length counts.
    ///   - alignment: What starts and lengths are multiples of; on a ring, starts are multiples of what it has in
    ///     common with the length.
    ///   - wraps: Whether the axis is a ring.
    /// - Precondition: All are positive (overlap may be 0), and the overlap is less than the window.
    public init(length: Int, window: Int, overlap: Int, alignment: Int, wraps: Bool = false) {
        precondition(length > 0, "an axis of \(length) cells")
        precondition(wraps || length % alignment == 0, "length \(length) is no multiple of \(alignment)")
        precondition(overlap >= 0 && overlap < window, "overlap \(overlap) does not fit into windows of \(window)")
        if wraps {
            let overlap = min(overlap, length)
            let window = min(Self.aligned(window, alignment), Self.aligned(length + overlap, alignment))
            let common = Self.greatestCommonDivisor(length, alignment)
            let stride = max(common, (window - overlap) / common * common)
            let count = (length + stride - 1) / stride
            let starts = (0..<count).map { length / common * $0 / count * common }
            self.init(ring: length, window: window, starts: starts, alignment: common)
        } else {
            let window = min(length, Self.aligned(window, alignment))
            let rest = length - window
            // Aligned starts may come up to `alignment - 1` cells further apart than even ones: count with whole
            // strides.
            let stride = max(alignment, (window - overlap) / alignment * alignment)
            let gaps = (rest + stride - 1) / stride
            let starts = rest > 0 ? (0...gaps).map { rest / alignment * $0 / gaps * alignment } : [0]
            let edges = zip(starts, starts.dropFirst()).map { ($0 + window + $1) / 2 }
            let cores = zip([0] + edges, edges + [length]).map { $0..<$1 }
            self.init(length: length, window: window, wraps: false, starts: starts, cores: cores, alignment: alignment)
        }
    }

    /// Windows on a ring; a core ends in the middle of what a window shares with the next.
    init(ring length: Int, window: Int, starts: [Int], alignment: Int) {
        let cores = starts.indices.map { index in
            let before = index > 0 ? starts[index - 1] : starts[starts.count - 1] - length
            let after = index + 1 < starts.count ? starts[index + 1] : starts[0] + length
            return (before + window + starts[index]) / 2..<(starts[index] + window + after) / 2
        }
        self.init(length: length, window: window, wraps: true, starts: starts, cores: cores, alignment: alignment)
    }

    init(length: Int, window: Int, wraps: Bool, starts: [Int], cores: [Range<Int>], alignment: Int) {
        self.length = length
        self.window = window
        self.wraps = wraps
        self.starts = starts
        self.cores = cores
        self.alignment = alignment
    }

    /// A window near `window` with which an axis is cut without more overlap than was asked for.
    ///
    /// Evenly spread windows of a fixed length can overlap by half of it: 1024 cells take three of 512 with an overlap
    /// of 64, but two of 544.
    public static func fittedWindow(
        length: Int, near window: Int, overlap: Int, alignment: Int, wraps: Bool = false
    ) -> Int {
        if wraps {
            let count = max(1, Int((Double(length) / Double(window - overlap)).rounded()))
            return aligned((length + count - 1) / count + overlap, alignment)
        }
        guard length > window else { return window }
        let count = max(1, Int((Double(length - overlap) / Double(window - overlap)).rounded()))
        return aligned((length + (count - 1) * overlap + count - 1) / count, alignment)
    }

    /// Where the cores of neighbouring tiles meet: between cells `border - 1` and `border`, rising. On a ring, without
    /// the border that may be at its end, which no picture shows.
    public var borders: [Int] {
        guard wraps else { return cores.dropLast().map(\.upperBound) }
        return Set(cores.map { $0.upperBound % length }).subtracting([0]).sorted()
    }

    static func aligned(_ length: Int, _ alignment: Int) -> Int { (length + alignment - 1) / alignment * alignment }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
