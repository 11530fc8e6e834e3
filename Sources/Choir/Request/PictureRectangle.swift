/// A rectangle of a picture in fractions of its sides, so that it means the same at every size and stage.
public struct PictureRectangle: Hashable, Sendable, Codable {
    /// The left side, 0 ..< 1 of the picture's width.
    public var x: Double

    /// The upper side, 0 ..< 1 of the picture's height.
    public var y: Double

    /// The width, above 0; the right side is inside of the picture.
    public var width: Double

    /// The height, above 0; the lower side is inside of the picture.
    public var height: Double

    /// A rectangle; `PaintRequest.validate()` tells whether it lies in the picture.
    public init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// What rounding may add to the sum of two fractions.
    private static let rounding = 1e-9

    /// From the left to the right side.
    var columns: ClosedRange<Double> { Self.range(x, width) }

    /// From the upper to the lower side.
    var rows: ClosedRange<Double> { Self.range(y, height) }

    /// A side that lies on the picture's edge but for rounding lies on it.
    private static func range(_ start: Double, _ length: Double) -> ClosedRange<Double> {
        let end = start + length
        return start...(abs(end - 1) <= rounding ? 1 : end)
    }

    /// - Throws: `RequestError` with the name of what the rectangle belongs to.
    func validate(_ name: String) throws(RequestError) {
        for (side, start, length) in [("x", x, width), ("y", y, height)] {
            guard start >= 0, start < 1 else {
                throw RequestError("\(name), \(side)", found: "\(start)", expected: "a number from 0 to below 1")
            }
            let extent = side == "x" ? "width" : "height"
            guard length > 0, start + length <= 1 + Self.rounding else {
                throw RequestError(
                    "\(name), \(extent)", found: "\(length)",
                    expected: "a number above 0 and, as \(side) is \(start), at most \(1 - start)")
            }
        }
    }
}
