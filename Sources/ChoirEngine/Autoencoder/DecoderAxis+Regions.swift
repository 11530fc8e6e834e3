import ChoirModels
import ChoirTensor

extension DecoderAxis {
    /// The window of a tile and the core in it at one level, in that level's cells.
    ///
    /// - Parameters:
    ///   - row: Which tile of this axis, that of the rows.
    ///   - columns: The axis of the columns.
    ///   - column: Which tile of that.
    ///   - level: The level.
    ///   - origin: Where the first cell of what is cut lies at that level.
    func region(
        _ row: Int, by columns: DecoderAxis, _ column: Int, level: Int = 0, at origin: (x: Int, y: Int) = (0, 0)
    ) -> (window: Region, core: Region) {
        let (vertical, horizontal) = (core(row), columns.core(column))
        return (
            Region(
                x: origin.x + columns.starts(column)[level], y: origin.y + starts(row)[level],
                width: columns.sizes[level], height: sizes[level]),
            Region(
                x: origin.x + horizontal.lowerBound << level, y: origin.y + vertical.lowerBound << level,
                width: horizontal.count << level, height: vertical.count << level)
        )
    }
}

extension Region {
    /// The cells of so many times the side that this region has a share in.
    func divided(by factor: Int) -> Region {
        let (left, top) = (x / factor, y / factor)
        return Region(
            x: left, y: top, width: (maxX + factor - 1) / factor - left, height: (maxY + factor - 1) / factor - top)
    }

    /// This region in the cells of a window that it lies in.
    func inside(_ window: Region) -> Region {
        Region(x: x - window.x, y: y - window.y, width: width, height: height)
    }
}
