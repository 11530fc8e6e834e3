/// Rows are written as runs, so that a map takes little room in metadata: `"3*0x128,1x64"` are three rows of 128 cells of
/// content 0 and 64 of content 1.
extension RegionMap: Codable {
    private enum Key: String, CodingKey { case width, height, rows, contents, feather }

    /// Writes runs.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(width, forKey: .width)
        try values.encode(height, forKey: .height)
        try values.encode(contents, forKey: .contents)
        try values.encode(feather, forKey: .feather)
        let rows = stride(from: 0, to: cells.count, by: width).map { Self.runs(cells[$0..<$0 + width]) }
        try values.encode(Self.runs(rows).map { "\($0.count)*\($0.value)" }, forKey: .rows)
    }

    /// Reads runs; no more cells than width and height say are ever made.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let (width, height) = (
            try values.decode(Int.self, forKey: .width), try values.decode(Int.self, forKey: .height)
        )
        let rows = try values.decode([String].self, forKey: .rows)
        let wrong = { (reason: String) in
            DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath + [Key.rows], debugDescription: reason))
        }
        let sides = 1...Self.maximumSide
        guard sides.contains(width), sides.contains(height) else {
            throw wrong("found \(width) x \(height) cells, expected sides of 1 to \(Self.maximumSide)")
        }
        var cells: [UInt8] = []
        for text in rows {
            guard let (count, row) = Self.row(text, width: width), cells.count + count * width <= width * height else {
                throw wrong("found \(text.prefix(40)), expected rows such as 2*0x\(width), \(height) of them in all")
            }
            for _ in 0..<count { cells += row }
        }
        let contents = try values.decode([RegionContent?].self, forKey: .contents)
        let feather = try values.decode(Double.self, forKey: .feather)
        do throws(RequestError) {
            try self.init(width: width, height: height, cells: cells, contents: contents, feather: feather)
        } catch {
            throw wrong(error.description)
        }
    }

    private static func runs(_ row: ArraySlice<UInt8>) -> String {
        runs(Array(row)).map { "\($0.value)x\($0.count)" }.joined(separator: ",")
    }

    private static func runs<Value: Equatable>(_ values: [Value]) -> [(value: Value, count: Int)] {
        values.reduce(into: []) { runs, value in
            if runs.last?.value == value {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((value, 1))
            }
        }
    }

    /// One row and how often it comes; nil if the text is not of this form or the row not of this width.
    private static func row(_ text: String, width: Int) -> (count: Int, row: [UInt8])? {
        let parts = text.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), (1...maximumSide).contains(count) else { return nil }
        var row: [UInt8] = []
        for run in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = run.split(separator: "x", omittingEmptySubsequences: false)
            guard numbers.count == 2, let content = UInt8(numbers[0]), let cells = Int(numbers[1]),
                (1...width).contains(cells), row.count + cells <= width
            else { return nil }
            row += [UInt8](repeating: content, count: cells)
        }
        return row.count == width ? (count, row) : nil
    }
}
