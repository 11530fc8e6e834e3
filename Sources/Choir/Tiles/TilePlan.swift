public import ChoirTensor

/// A window of the canvas that a model sees at once.
public struct Tile: Hashable, Sendable {
    /// Place in the plan's order, which is the order of every sum over tiles.
    public let index: Int

    /// The cells that are denoised together: the core and, around it, the halo.
    public let window: Region

    /// The cells that are nearer to this tile's middle than to any other's; the cores of a plan partition the canvas.
    public let core: Region
}

/// How a canvas is cut into overlapping tiles, in cells. Tiles are ordered by rows.
public struct TilePlan: Hashable, Sendable {
    /// The windows from left to right.
    public let columns: TileAxis

    /// The windows from top to bottom.
    public let rows: TileAxis

    /// All tiles, in the fixed order.
    public let tiles: [Tile]

    /// A plan of all pairs of the axes' windows.
    public init(columns: TileAxis, rows: TileAxis) {
        self.columns = columns
        self.rows = rows
        let xEdges = [0] + columns.borders + [columns.length]
        let yEdges = [0] + rows.borders + [rows.length]
        tiles = rows.starts.indices.flatMap { row in
            columns.starts.indices.map { column in
                Tile(
                    index: row * columns.starts.count + column,
                    window: Region(
                        x: columns.starts[column], y: rows.starts[row], width: columns.window, height: rows.window),
                    core: Region(
                        x: xEdges[column], y: yEdges[row], width: xEdges[column + 1] - xEdges[column],
                        height: yEdges[row + 1] - yEdges[row]))
            }
        }
    }
}
