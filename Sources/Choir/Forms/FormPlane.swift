/// A canvas that objects lie on: a picture, in cells, whose opposite edges may meet.
struct FormPlane {
    /// Cells of the picture.
    let width: Int
    let height: Int

    /// Cells of the canvas, row by row, may reach beyond the picture.
    let stride: Int

    let wrapsX: Bool
    let wrapsY: Bool

    /// Where the canvas has its first cell.
    var origin = (x: 0, y: 0)

    /// Whether a circle lies in the picture.
    func holds(_ x: Double, _ y: Double, radius: Double) -> Bool {
        let isHeld = { (middle: Double, length: Int, wraps: Bool) in
            wraps
                ? 2 * radius <= Double(length) && (0...Double(length)).contains(middle)
                : middle >= radius && middle <= Double(length) - radius
        }
        return isHeld(x, width, wrapsX) && isHeld(y, height, wrapsY)
    }

    /// From one place to another the shorter way.
    func offset(fromX: Double, y fromY: Double, toX: Double, y toY: Double) -> (Double, Double) {
        let shorter = { (distance: Double, length: Int, wraps: Bool) in
            let length = Double(length)
            return wraps ? distance - length * (distance / length).rounded() : distance
        }
        return (shorter(toX - fromX, width, wrapsX), shorter(toY - fromY, height, wrapsY))
    }

    /// The index of the cell that a place lies in; of the nearest, for what lies outside.
    func cell(_ x: Double, _ y: Double) -> Int {
        row(Int(y.rounded(.down))) * stride + column(Int(x.rounded(.down)))
    }

    /// The column of the picture that a column of cells is.
    func column(_ x: Int) -> Int { Self.inside(x, width, wraps: wrapsX) }

    /// The row of the picture that a row of cells is.
    func row(_ y: Int) -> Int { Self.inside(y, height, wraps: wrapsY) }

    private static func inside(_ position: Int, _ length: Int, wraps: Bool) -> Int {
        guard wraps else { return min(max(position, 0), length - 1) }
        let remainder = position % length
        return remainder < 0 ? remainder + length : remainder
    }
}
