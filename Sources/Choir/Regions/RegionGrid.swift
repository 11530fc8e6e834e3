import ChoirTensor

/// The squares of cells that are denoised together, as places of the picture.
struct RegionGrid: Sendable {
    /// Squares from left to right.
    let width: Int

    /// Squares from top to bottom.
    let height: Int

    private let seen: SeenCells
    private let cell: Int
    private let pictureWidth: Int
    private let pictureHeight: Int
    private let wrapsX: Bool
    private let wrapsY: Bool

    /// - Parameters:
    ///   - seen: The cells of the canvas.
    ///   - cell: Cells along a square; divides the sides of a window, and is 1 for cells that lie apart.
    ///   - pictureWidth: Cells of the canvas that are the picture's; the canvas may reach beyond.
    ///   - pictureHeight: Likewise.
    ///   - wrapsX: Whether the picture's left and right edge meet.
    ///   - wrapsY: Whether its upper and lower edge do.
    init(
        _ seen: SeenCells, cell: Int, pictureWidth: Int, pictureHeight: Int, wrapsX: Bool = false, wrapsY: Bool = false
    ) {
        precondition(seen.isWindow || cell == 1, "cells that lie apart make no squares")
        self.seen = seen
        self.cell = cell
        self.pictureWidth = pictureWidth
        self.pictureHeight = pictureHeight
        self.wrapsX = wrapsX
        self.wrapsY = wrapsY
        width = seen.columns.count / cell
        height = seen.rows.count / cell
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

    private func starts(_ cells: [Int]) -> [Int] { stride(from: 0, to: cells.count, by: cell).map { cells[$0] } }

    private func columns(feather: Double, atMost most: Double) -> RegionAxis {
        let soft = min(feather * shorter / Double(pictureWidth), most)
        return RegionAxis(
            starts: starts(seen.columns), cell: cell, length: pictureWidth, soft: soft, wraps: wrapsX,
            isWindow: seen.isWindow)
    }

    private func rows(feather: Double, atMost most: Double) -> RegionAxis {
        let soft = min(feather * shorter / Double(pictureHeight), most)
        return RegionAxis(
            starts: starts(seen.rows), cell: cell, length: pictureHeight, soft: soft, wraps: wrapsY,
            isWindow: seen.isWindow)
    }
}
