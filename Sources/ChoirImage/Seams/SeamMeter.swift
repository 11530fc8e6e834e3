/// Measures whether tile borders can be seen: the gradient across each border line against its surroundings.
///
/// For a border at position p, let g(q) be the mean of |Y(q) − Y(q − 1)| along line q, where Y is Rec. 709 luma of the
/// 8-bit sRGB values. Then
///
///     R(p) = (g(p) + ε) / (mean of g(q) over the neighbours q + ε)
///
/// with the 24 lines on either side as neighbours, less those outside the image and those that are borders themselves,
/// and ε = 0.001 grey levels, which makes R = 1 in perfectly flat surroundings and changes nothing elsewhere. Single
/// bright stars make any line vary, hence the *control* lines: all that have 24 neighbours on either side and no border
/// among them are measured in the same way for comparison.
///
/// The picture is read once, in strips of any height; memory is proportional to width + height. All sums are of
/// integers, so the result does not depend on the strips.
public struct SeamMeter: Sendable {
    /// The number of neighbour lines on each side of a line.
    public static let neighboursPerSide = 24

    /// The width in pixels.
    public let width: Int
    /// The height in pixels.
    public let height: Int

    private let verticalBorders: [Int]
    private let horizontalBorders: [Int]
    /// Luma times 65,536 of the last row.
    private var previous: [Int32]
    private var current: [Int32]
    /// Element q: the sum of |Y(q) − Y(q − 1)| over all rows (columns), times 65,536; element 0 is unused.
    private var columnSums: [Int64]
    private var rowSums: [Int64]
    private var rowCount = 0

    /// A meter for a picture with the given borders.
    ///
    /// - Parameters:
    ///   - verticalBorders: Positions of borders between columns, each in 1..<width; p lies between p - 1 and p.
    ///   - horizontalBorders: Positions of borders between rows, each in 1..<height.
    /// - Throws: `ImageError.Code.invalidBorder` when a border lies outside or there is none at all.
    public init(
        width: Int,
        height: Int,
        verticalBorders: [Int],
        horizontalBorders: [Int]
    ) throws(ImageError) {
        let subject = "seams of \(width)×\(height) pixels"
        guard width >= 1, height >= 1, width <= 1 << 30, height <= 1 << 30 else {
            throw ImageError(.invalidSize, subject, "the size is not possible")
        }
        for (name, borders, side) in [("column", verticalBorders, width), ("row", horizontalBorders, height)] {
            if let outside = borders.first(where: { $0 < 1 || $0 >= side }) {
                let expected = side > 1 ? "1 to \(side - 1)" : "none, the picture being a single \(name)"
                throw ImageError(.invalidBorder, subject, "found a border at \(name) \(outside), expected \(expected)")
            }
        }
        guard !(verticalBorders.isEmpty && horizontalBorders.isEmpty) else {
            throw ImageError(.invalidBorder, subject, "there is no tile border inside the picture")
        }
        self.width = width
        self.height = height
        self.verticalBorders = Set(verticalBorders).sorted()
        self.horizontalBorders = Set(horizontalBorders).sorted()
        previous = [Int32](repeating: 0, count: width)
        current = previous
        columnSums = [Int64](repeating: 0, count: width)
        rowSums = [Int64](repeating: 0, count: height)
    }

    /// Adds rows of interleaved 8-bit RGB below those added before.
    ///
    /// - Throws: `ImageError.Code.invalidPixels` when these are not whole rows, or too many.
    public mutating func add(rows: Span<UInt8>) throws(ImageError) {
        let rowBytes = 3 * width
        guard rows.count % rowBytes == 0, rows.count / rowBytes <= height - rowCount else {
            let found = "\(rows.count) bytes after \(rowCount) rows"
            throw ImageError(
                .invalidPixels,
                "seams",
                "found \(found), expected rows of \(rowBytes) bytes, \(height) in all"
            )
        }
        rows.withUnsafeBufferPointer { pixels in
            for start in stride(from: 0, to: pixels.count, by: rowBytes) {
                addRow(UnsafeBufferPointer(rebasing: pixels[start..<start + rowBytes]))
            }
        }
    }

    /// The result, after the last row.
    ///
    /// - Throws: `ImageError.Code.invalidPixels` when rows are missing; `invalidBorder` when every line is a border.
    public func finish() throws(ImageError) -> SeamReport {
        guard rowCount == height else {
            throw ImageError(.invalidPixels, "seams", "\(rowCount) rows were added, expected \(height)")
        }
        let vertical = lines(.vertical, at: verticalBorders, borders: verticalBorders, sums: columnSums, length: height)
        let horizontal = lines(
            .horizontal,
            at: horizontalBorders,
            borders: horizontalBorders,
            sums: rowSums,
            length: width
        )
        let controls =
            lines(
                .vertical,
                at: Self.farLines(verticalBorders, side: width),
                borders: verticalBorders,
                sums: columnSums,
                length: height
            )
            + lines(
                .horizontal,
                at: Self.farLines(horizontalBorders, side: height),
                borders: horizontalBorders,
                sums: rowSums,
                length: width
            )
        return try SeamReport(vertical: vertical, horizontal: horizontal, controls: controls)
    }

    // MARK: -

    private mutating func addRow(_ pixels: UnsafeBufferPointer<UInt8>) {
        swap(&previous, &current)
        var rowSum: Int64 = 0
        // Unchecked additions: a luma difference has 24 bits, so 2³⁰ of them fit in 63.
        current.withUnsafeMutableBufferPointer { luma in
            for column in luma.indices {
                // Rec. 709 weights 0.2126, 0.7152, 0.0722 times 65,536.
                let red = 13_933 &* Int32(pixels[3 &* column])
                let green = 46_871 &* Int32(pixels[3 &* column &+ 1])
                luma[column] = red &+ green &+ 4_732 &* Int32(pixels[3 &* column &+ 2])
            }
            columnSums.withUnsafeMutableBufferPointer { sums in
                for column in 1..<max(1, luma.count) {
                    sums[column] &+= Int64(abs(luma[column] &- luma[column &- 1]))
                }
            }
            guard rowCount > 0 else { return }
            previous.withUnsafeBufferPointer { above in
                for column in luma.indices { rowSum &+= Int64(abs(luma[column] &- above[column])) }
            }
        }
        rowSums[rowCount] = rowSum
        rowCount += 1
    }

    /// The lines that have all neighbours, none of them a border. None where there is no border to compare with.
    private static func farLines(_ borders: [Int], side: Int) -> [Int] {
        guard !borders.isEmpty else { return [] }
        var lines: [Int] = []
        var before = 0
        for after in borders + [side] {
            lines += stride(from: before + neighboursPerSide + 1, to: after - neighboursPerSide, by: 1)
            before = after
        }
        return lines
    }

    private func lines(
        _ axis: SeamReport.Axis,
        at positions: [Int],
        borders: [Int],
        sums: [Int64],
        length: Int
    ) -> [SeamReport.Line] {
        let borders = Set(borders)
        let epsilon = 0.001
        return positions.compactMap { position in
            let reach = Self.neighboursPerSide
            let range = max(1, position - reach)...min(sums.count - 1, position + reach)
            let neighbours = range.filter { $0 != position && !borders.contains($0) }
            guard !neighbours.isEmpty else { return nil }
            let scale = 1 / (65_536 * Double(length))
            let across = Double(sums[position]) * scale
            let around = neighbours.reduce(0) { $0 + Double(sums[$1]) } * scale / Double(neighbours.count)
            return SeamReport.Line(axis: axis, position: position, ratio: (across + epsilon) / (around + epsilon))
        }
    }
}
