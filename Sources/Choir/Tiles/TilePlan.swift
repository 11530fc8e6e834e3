public import ChoirTensor

/// A window of the canvas that a model sees at once.
public struct Tile: Hashable, Sendable {
    /// Place in the plan's order, which is the order of every sum over tiles.
    public let index: Int

    /// The cells that are denoised together: the core and, around it, the halo. On a canvas that wraps it may reach
    /// beyond the edge.
    public let window: Region

    /// The cells that this tile has for its own; the cores of a plan partition the canvas.
    public let core: Region
}

/// How a canvas is cut into overlapping tiles, in cells. Tiles are ordered by rows.
public struct TilePlan: Hashable, Sendable {
    /// The windows from left to right.
    public let columns: TileAxis

    /// The windows from top to bottom.
    public let rows: TileAxis

    /// A plan of all pairs of the axes' windows.
    public init(columns: TileAxis, rows: TileAxis) {
        self.columns = columns
        self.rows = rows
    }

    /// The number of tiles.
    public var count: Int { columns.starts.count * rows.starts.count }

    /// What lies beyond the edges of the canvas.
    public var border: BorderMode { columns.wraps || rows.wraps ? .wrap(x: columns.wraps, y: rows.wraps) : .zero }

    /// The tile at a place in the fixed order, 0 ..< `count`.
    public subscript(index: Int) -> Tile {
        let (row, column) = index.quotientAndRemainder(dividingBy: columns.starts.count)
        let (x, y) = (columns.cores[column], rows.cores[row])
        return Tile(
            index: index,
            window: Region(x: columns.starts[column], y: rows.starts[row], width: columns.window, height: rows.window),
            core: Region(x: x.lowerBound, y: y.lowerBound, width: x.count, height: y.count))
    }

    /// All tiles, in the fixed order. Made when asked for, so that planning a picture of millions of tiles is quick.
    public var tiles: [Tile] { (0..<count).map { self[$0] } }
}
