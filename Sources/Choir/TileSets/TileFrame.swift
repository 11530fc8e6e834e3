import ChoirTensor

/// Where the picture lies in the tile that it is denoised in, at one scale.
///
///     |  padding  |  width x height  |  padding  |  rest, up to the alignment
///
/// An axis on which no side is constrained has no padding.
struct TileFrame: Hashable, Sendable {
    /// The picture, in cells of the tile.
    let picture: Region

    /// Cells of the tile, multiples of the alignment.
    let width: Int
    let height: Int

    /// - Parameters:
    ///   - padding: Cells on both sides of the picture along x and y.
    ///   - minimum: Cells that the tile must have.
    init(width: Int, height: Int, padding: (x: Int, y: Int), minimum: (width: Int, height: Int), alignment: Int) {
        picture = Region(x: padding.x, y: padding.y, width: width, height: height)
        self.width = TileAxis.aligned(max(width + 2 * padding.x, minimum.width), alignment)
        self.height = TileAxis.aligned(max(height + 2 * padding.y, minimum.height), alignment)
    }

    /// Cells of a side from a distance to the picture's edge on, which counts inwards from it and is negative in the
    /// padding.
    ///
    /// - Parameters:
    ///   - along: Whether the strip goes on through the padding at both of its ends.
    func strip(_ side: TileSide, from distance: Int, depth: Int, along: Bool) -> Region {
        let (x, y) = along ? (picture.x, picture.y) : (0, 0)
        let (columns, rows) = (picture.width + 2 * x, picture.height + 2 * y)
        switch side {
        case .right:
            return Region(x: picture.maxX - distance - depth, y: picture.y - y, width: depth, height: rows)
        case .left: return Region(x: picture.x + distance, y: picture.y - y, width: depth, height: rows)
        case .bottom:
            return Region(x: picture.x - x, y: picture.maxY - distance - depth, width: columns, height: depth)
        case .top: return Region(x: picture.x - x, y: picture.y + distance, width: columns, height: depth)
        }
    }

    /// Cells of padding beyond a side.
    func padding(of side: TileSide) -> Int { side.isAlongX ? picture.x : picture.y }
}
