import ChoirTensor

/// The squares of cells of a window, as places of the picture.
struct RegionGrid: Sendable {
    /// Squares from left to right.
    let width: Int

    /// Squares from top to bottom.
    let height: Int

    private let window: Region
    private let cell: Int
    private let pictureWidth: Int
    private let pictureHeight: Int

    /// - Parameters:
    ///   - window: The cells of the canvas.
    ///   - cell: Cells along a square; divides the window's sides.
    ///   - pictureWidth: Cells of the canvas that are the picture's; the canvas may reach beyond.
    ///   - pictureHeight: Likewise.
    init(_ window: Region, cell: Int, pictureWidth: Int, pictureHeight: Int) {
        self.window = window
        self.cell = cell
        self.pictureWidth = pictureWidth
        self.pictureHeight = pictureHeight
        width = window.width / cell
        height = window.height / cell
    }

    /// The columns as a region's border softens them. No softer than the region is wide: its middle is its own.
    func columns(_ region: PaintRegion) -> RegionAxis {
        columns(feather: region.feather, atMost: region.rectangle.width)
    }

    /// The rows as a region's border softens them.
    func rows(_ region: PaintRegion) -> RegionAxis {
        rows(feather: region.feather, atMost: region.rectangle.height)
    }

    /// The columns as a map's borders soften them.
    func columns(_ map: RegionMap) -> RegionAxis { columns(feather: map.feather, atMost: 1) }

    /// The rows as a map's borders soften them.
    func rows(_ map: RegionMap) -> RegionAxis { rows(feather: map.feather, atMost: 1) }

    private var shorter: Double { Double(min(pictureWidth, pictureHeight)) }

    private func columns(feather: Double, atMost most: Double) -> RegionAxis {
        let soft = min(feather * shorter / Double(pictureWidth), most)
        return RegionAxis(start: window.x, count: width, cell: cell, length: pictureWidth, soft: soft)
    }

    private func rows(feather: Double, atMost most: Double) -> RegionAxis {
        let soft = min(feather * shorter / Double(pictureHeight), most)
        return RegionAxis(start: window.y, count: height, cell: cell, length: pictureHeight, soft: soft)
    }
}

/// One axis of the squares around places: for each place, from where to where, in fractions of the picture.
struct RegionAxis {
    let boxes: [ClosedRange<Double>]

    /// - Parameters:
    ///   - start: The first cell.
    ///   - count: How many places.
    ///   - cell: Cells of a place.
    ///   - length: Cells of the picture; places beyond it count as its last.
    ///   - soft: The square's side at least, as a fraction.
    init(start: Int, count: Int, cell: Int, length: Int, soft: Double) {
        let half = min(1, Double(cell) / Double(length)) / 2
        let reach = max(half, soft / 2)
        boxes = (0..<count).map { index in
            let middle = (Double(start + index * cell) + Double(cell) / 2) / Double(length)
            let inside = min(max(middle, half), 1 - half)
            return max(0, inside - reach)...min(1, inside + reach)
        }
    }

    /// From the first box to the last.
    var extent: ClosedRange<Double> { (boxes.first?.lowerBound ?? 0)...(boxes.last?.upperBound ?? 1) }

    /// The share of each box that a range covers.
    func shares(of range: ClosedRange<Double>) -> [Double] {
        boxes.map { box in
            let covered = min(box.upperBound, range.upperBound) - max(box.lowerBound, range.lowerBound)
            return max(0, covered / (box.upperBound - box.lowerBound))
        }
    }
}
