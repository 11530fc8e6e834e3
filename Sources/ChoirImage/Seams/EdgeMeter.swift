/// Measures whether opposite edges of one picture meet, so that copies of it can be laid side by side.
///
/// The picture is read once, in strips of any height; memory is proportional to width + height.
public struct EdgeMeter: Sendable {
    private static let lineCount = TilingScore.neighbours + 1

    private let width: Int
    private let height: Int
    private var columns: (left: [[UInt8]], right: [[UInt8]])
    private var top: [[UInt8]] = []
    /// The last rows so far, the newest last.
    private var bottom: [[UInt8]] = []
    private var rowCount = 0

    /// A meter for a picture of a size.
    ///
    /// - Throws: `ImageError.Code.invalidSize` for a side of less than 50 pixels, which has too few lines.
    public init(width: Int, height: Int) throws(ImageError) {
        let least = 2 * Self.lineCount
        guard width >= least, height >= least, width <= 1 << 30, height <= 1 << 30 else {
            throw ImageError(
                .invalidSize, "edges of \(width)×\(height) pixels", "both sides must have \(least) pixels or more")
        }
        self.width = width
        self.height = height
        let empty = [[UInt8]](repeating: [], count: Self.lineCount)
        columns = (empty, empty)
    }

    /// Adds rows of interleaved 8-bit RGB below those added before.
    ///
    /// - Throws: `ImageError.Code.invalidPixels` when these are not whole rows, or too many.
    public mutating func add(rows: Span<UInt8>) throws(ImageError) {
        let rowBytes = 3 * width
        guard rows.count % rowBytes == 0, rows.count / rowBytes <= height - rowCount else {
            throw ImageError(.invalidPixels, "edges", "found \(rows.count) bytes, expected rows of \(rowBytes)")
        }
        for start in stride(from: 0, to: rows.count, by: rowBytes) {
            let row = (start..<start + rowBytes).map { rows[$0] }
            for line in 0..<Self.lineCount {
                columns.left[line] += row[3 * line..<3 * line + 3]
                columns.right[line] += row[rowBytes - 3 * line - 3..<rowBytes - 3 * line]
            }
            if top.count < Self.lineCount { top.append(row) }
            bottom.append(row)
            if bottom.count > Self.lineCount { bottom.removeFirst() }
            rowCount += 1
        }
    }

    /// How the right edge meets the left one, and the bottom the top, after the last row.
    ///
    /// - Throws: `ImageError.Code.invalidPixels` when rows are missing.
    public func finish() throws(ImageError) -> (x: TilingScore, y: TilingScore) {
        guard rowCount == height else {
            throw ImageError(.invalidPixels, "edges", "\(rowCount) rows were added, expected \(height)")
        }
        return (
            TilingScore(first: columns.right, second: columns.left),
            TilingScore(first: bottom.reversed(), second: top)
        )
    }
}
