/// A rectangle of cells: columns `minX..<maxX` and rows `minY..<maxY`. It may reach outside of any canvas.
public struct Region: Hashable, Sendable {
    /// The first column.
    public let x: Int

    /// The first row.
    public let y: Int

    /// The number of columns; not negative.
    public let width: Int

    /// The number of rows; not negative.
    public let height: Int

    /// Makes a region.
    ///
    /// - Precondition: `width` and `height` are not negative and the far edges fit in `Int`.
    public init(x: Int, y: Int, width: Int, height: Int) {
        precondition(
            Region.isValid(x: x, y: y, width: width, height: height),
            "no region has the origin (\(x), \(y)) and the size \(width)×\(height)"
        )
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The first column.
    public var minX: Int { x }

    /// The column after the last one.
    public var maxX: Int { x + width }

    /// The first row.
    public var minY: Int { y }

    /// The row after the last one.
    public var maxY: Int { y + height }

    /// Whether the region has no cells.
    public var isEmpty: Bool { width == 0 || height == 0 }

    /// Whether the cell at column `x`, row `y` belongs to the region.
    public func contains(x: Int, y: Int) -> Bool {
        (minX..<maxX).contains(x) && (minY..<maxY).contains(y)
    }

    /// Whether every cell of `other` belongs to the region; true for an empty `other`.
    public func contains(_ other: Region) -> Bool {
        other.isEmpty
            || (other.minX >= minX && other.maxX <= maxX && other.minY >= minY && other.maxY <= maxY)
    }

    /// The cells that both regions have; nil when there are none.
    public func intersection(_ other: Region) -> Region? {
        let left = max(minX, other.minX)
        let top = max(minY, other.minY)
        let right = min(maxX, other.maxX)
        let bottom = min(maxY, other.maxY)
        guard left < right, top < bottom else { return nil }
        return Region(x: left, y: top, width: right - left, height: bottom - top)
    }

    private static func isValid(x: Int, y: Int, width: Int, height: Int) -> Bool {
        width >= 0 && height >= 0
            && !x.addingReportingOverflow(width).overflow && !y.addingReportingOverflow(height).overflow
    }
}

extension Region: Codable {
    private enum CodingKeys: CodingKey { case x, y, width, height }

    /// Reads the four numbers; throws `DecodingError` when the size is negative or an edge overflows.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let x = try container.decode(Int.self, forKey: .x)
        let y = try container.decode(Int.self, forKey: .y)
        let width = try container.decode(Int.self, forKey: .width)
        let height = try container.decode(Int.self, forKey: .height)
        guard Region.isValid(x: x, y: y, width: width, height: height) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "no region has the origin (\(x), \(y)) and the size \(width)×\(height)"
                )
            )
        }
        self.init(x: x, y: y, width: width, height: height)
    }
}
