/// A small picture of which part shows what: each of its cells names a content.
///
/// It lies over the whole picture, whatever the picture's shape, and below the request's regions.
public struct RegionMap: Hashable, Sendable {
    /// Cells from left to right, 1 ... `maximumSide`.
    public let width: Int

    /// Cells from top to bottom, 1 ... `maximumSide`.
    public let height: Int

    /// For each cell, row by row, the index of its content.
    public let cells: [UInt8]

    /// What the parts show; nil for what the request's prompt says.
    public let contents: [RegionContent?]

    /// How broad the soft border between parts is, 0 ... 1 of the picture's shorter side.
    public let feather: Double

    /// The most cells along a side.
    public static let maximumSide = 512

    /// For each content, how many of its cells lie above and to the left of each corner of the cells:
    /// `[height + 1, width + 1]`, the summed-area table of Crow (1984).
    private let counts: [[Int32]]

    /// A map.
    ///
    /// - Throws: `RequestError` that names what is out of its range.
    public init(
        width: Int, height: Int, cells: [UInt8], contents: [RegionContent?],
        feather: Double = PaintRegion.standardFeather
    ) throws(RequestError) {
        for (name, side) in [("width", width), ("height", height)] {
            guard (1...Self.maximumSide).contains(side) else {
                throw RequestError("map, \(name)", found: "\(side) cells", expected: "1 to \(Self.maximumSide)")
            }
        }
        guard (1...PaintRequest.maximumRegions).contains(contents.count) else {
            throw RequestError(
                "map", found: "\(contents.count) contents", expected: "1 to \(PaintRequest.maximumRegions)")
        }
        guard cells.count == width * height else {
            throw RequestError("map", found: "\(cells.count) cells", expected: "\(width * height)")
        }
        if let wrong = cells.firstIndex(where: { $0 >= contents.count }) {
            throw RequestError(
                "map, cell \(wrong)", found: "content \(cells[wrong])", expected: "0 to \(contents.count - 1)")
        }
        for (index, content) in contents.enumerated() { try content?.validate("map, content \(index)") }
        try PaintRegion.validate(feather: feather, "map")
        self.width = width
        self.height = height
        self.cells = cells
        self.contents = contents
        self.feather = feather
        counts = contents.indices.map { Self.counts(of: UInt8($0), in: cells, width: width, height: height) }
    }

    private static func counts(of content: UInt8, in cells: [UInt8], width: Int, height: Int) -> [Int32] {
        var counts = [Int32](repeating: 0, count: (width + 1) * (height + 1))
        for row in 0..<height {
            var inRow: Int32 = 0
            for column in 0..<width {
                inRow += cells[row * width + column] == content ? 1 : 0
                counts[(row + 1) * (width + 1) + column + 1] = counts[row * (width + 1) + column + 1] + inRow
            }
        }
        return counts
    }

    /// Maps are equal when they say the same; the counts follow from it.
    public static func == (a: RegionMap, b: RegionMap) -> Bool {
        (a.width, a.height, a.feather) == (b.width, b.height, b.feather) && a.contents == b.contents
            && a.cells == b.cells
    }

    /// Hashes what the map says.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(width)
        hasher.combine(height)
        hasher.combine(feather)
        hasher.combine(contents)
        hasher.combine(cells)
    }
}

extension RegionMap {
    /// What the map holds in memory.
    var bytes: Int { cells.count + counts.reduce(0) { $0 + $1.count } * MemoryLayout<Int32>.size }

    /// The content at a place, in fractions of the picture.
    func content(x: Double, y: Double) -> Int {
        let column = min(width - 1, max(0, Int(x * Double(width))))
        let row = min(height - 1, max(0, Int(y * Double(height))))
        return Int(cells[row * width + column])
    }

    /// The share of an area, in fractions of the picture, that a content covers, 0 ... 1.
    func share(of content: Int, columns: ClosedRange<Double>, rows: ClosedRange<Double>) -> Double {
        let (left, right) = (columns.lowerBound * Double(width), columns.upperBound * Double(width))
        let (top, bottom) = (rows.lowerBound * Double(height), rows.upperBound * Double(height))
        let sum = { (x: Double, y: Double) in covered(by: content, left: x, above: y) }
        let cells = sum(right, bottom) - sum(left, bottom) - sum(right, top) + sum(left, top)
        return min(1, max(0, cells / ((right - left) * (bottom - top))))
    }

    /// The content that alone covers an area, or nil if there are several.
    func onlyContent(columns: ClosedRange<Double>, rows: ClosedRange<Double>) -> Int? {
        let cells = { (range: ClosedRange<Double>, count: Int) in
            let first = min(count - 1, Int(range.lowerBound * Double(count)))
            return first..<max(first + 1, min(count, Int((range.upperBound * Double(count)).rounded(.up))))
        }
        let (x, y) = (cells(columns, width), cells(rows, height))
        let content = Int(self.cells[y.lowerBound * width + x.lowerBound])
        let corner = { (column: Int, row: Int) in Int(counts[content][row * (width + 1) + column]) }
        let covered =
            corner(x.upperBound, y.upperBound) - corner(x.lowerBound, y.upperBound)
            - corner(x.upperBound, y.lowerBound) + corner(x.lowerBound, y.lowerBound)
        return covered == x.count * y.count ? content : nil
    }

    /// Cells, and parts of cells, of a content above and to the left of a corner: exact, for between corners the count
    /// is bilinear.
    private func covered(by content: Int, left x: Double, above y: Double) -> Double {
        let (column, row) = (min(width - 1, Int(x)), min(height - 1, Int(y)))
        let (right, down) = (x - Double(column), y - Double(row))
        let index = row * (width + 1) + column
        let table = counts[content]
        let above = Double(table[index]) + right * Double(table[index + 1] - table[index])
        let below =
            Double(table[index + width + 1]) + right * Double(table[index + width + 2] - table[index + width + 1])
        return above + down * (below - above)
    }
}
