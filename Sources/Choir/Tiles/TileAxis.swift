/// The windows of a tile plan along one axis, in cells.
///
/// Windows are equally long and spread evenly, each at a multiple of the alignment; together they cover the axis.
public struct TileAxis: Hashable, Sendable {
    /// Cells along the canvas.
    public let length: Int

    /// Cells along a tile.
    public let window: Int

    /// The first cell of each window, rising, from 0 to `length - window`.
    public let starts: [Int]

    /// Spreads windows over an axis.
    ///
    /// - Parameters:
    ///   - length: Cells along the canvas; a multiple of the alignment.
    ///   - window: Cells along a tile at most; rounded up to a multiple of the alignment. An axis that is shorter gets
    ///     one window of its own length.
    ///   - overlap: Cells that neighbouring windows share at least.
    ///   - alignment: What starts and lengths are multiples of.
    /// - Precondition: All are positive (overlap may be 0), and the overlap is less than the window.
    public init(length: Int, window: Int, overlap: Int, alignment: Int) {
        precondition(length > 0 && length % alignment == 0, "length \(length) is no multiple of \(alignment)")
        precondition(overlap >= 0 && overlap < window, "overlap \(overlap) does not fit into windows of \(window)")
        let window = min(length, (window + alignment - 1) / alignment * alignment)
        self.length = length
        self.window = window
        let rest = length - window
        guard rest > 0 else {
            starts = [0]
            return
        }
        // Aligned starts may come up to `alignment - 1` cells further apart than even ones: count with whole strides.
        let stride = max(alignment, (window - overlap) / alignment * alignment)
        let gaps = (rest + stride - 1) / stride
        starts = (0...gaps).map { rest / alignment * $0 / gaps * alignment }
    }

    /// A window near `window` with which an axis is cut without more overlap than was asked for.
    ///
    /// Evenly spread windows of a fixed length can overlap by half of it: 1024 cells take three of 512 with an overlap
    /// of 64, but two of 544.
    public static func fittedWindow(length: Int, near window: Int, overlap: Int, alignment: Int) -> Int {
        guard length > window else { return window }
        let count = max(1, Int((Double(length - overlap) / Double(window - overlap)).rounded()))
        let fitted = (length + (count - 1) * overlap + count - 1) / count
        return (fitted + alignment - 1) / alignment * alignment
    }

    /// Where the cores of neighbouring tiles meet: between cells `border - 1` and `border`.
    public var borders: [Int] { starts.indices.dropLast().map { core(of: $0).upperBound } }

    /// The cells that are nearer to the middle of a window than to that of any other.
    func core(of index: Int) -> Range<Int> {
        let edge = { (left: Int) in (starts[left] + window + starts[left + 1]) / 2 }
        return (index > 0 ? edge(index - 1) : 0)..<(index + 1 < starts.count ? edge(index) : length)
    }
}
