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
    private let wrapsX: Bool
    private let wrapsY: Bool

    /// - Parameters:
    ///   - window: The cells of the canvas.
    ///   - cell: Cells along a square; divides the window's sides.
    ///   - pictureWidth: Cells of the canvas that are the picture's; the canvas may reach beyond.
    ///   - pictureHeight: Likewise.
    ///   - wrapsX: Whether the picture's left and right edge meet.
    ///   - wrapsY: Whether its upper and lower edge do.
    init(
        _ window: Region, cell: Int, pictureWidth: Int, pictureHeight: Int, wrapsX: Bool = false, wrapsY: Bool = false
    ) {
        self.window = window
        self.cell = cell
        self.pictureWidth = pictureWidth
        self.pictureHeight = pictureHeight
        self.wrapsX = wrapsX
        self.wrapsY = wrapsY
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
        return RegionAxis(start: window.x, count: width, cell: cell, length: pictureWidth, soft: soft, wraps: wrapsX)
    }

    private func rows(feather: Double, atMost most: Double) -> RegionAxis {
        let soft = min(feather * shorter / Double(pictureHeight), most)
        return RegionAxis(start: window.y, count: height, cell: cell, length: pictureHeight, soft: soft, wraps: wrapsY)
    }
}
