import ChoirTensor

/// The windows of a plan side by side, each with cells of its own: the state of tiles that share nothing.
///
///     canvas   |---tile 0---|            sheet   |---tile 0---|---tile 1---|
///                       |---tile 1---|
///
/// Samplers act on every cell alone, so they step a sheet as they step a canvas.
struct TileSheet: Hashable, Sendable {
    let plan: TilePlan

    /// The shape of the field.
    func shape(channels: Int) -> Shape {
        [channels, plan.rows.starts.count * plan.rows.window, plan.columns.starts.count * plan.columns.window]
    }

    /// Where a tile's window lies.
    func window(of tile: Tile) -> Region {
        let (row, column) = tile.index.quotientAndRemainder(dividingBy: plan.columns.starts.count)
        let (width, height) = (tile.window.width, tile.window.height)
        return Region(x: column * width, y: row * height, width: width, height: height)
    }

    /// A sheet on which every tile has its window of the canvas.
    func cut(_ canvas: Tensor) -> Tensor {
        var sheet = Tensor(shape: shape(channels: canvas.shape[0]))
        for tile in plan.tiles {
            let window = window(of: tile)
            sheet.write(canvas.copy(region: tile.window, border: plan.border), x: window.x, y: window.y)
        }
        return sheet
    }

    /// The canvas to which every tile gives its core.
    func stitch(_ sheet: Tensor) -> Tensor {
        var canvas = Tensor(shape: [sheet.shape[0], plan.rows.length, plan.columns.length])
        for tile in plan.tiles {
            let (window, core) = (window(of: tile), tile.core)
            let part = Region(
                x: window.x + core.x - tile.window.x, y: window.y + core.y - tile.window.y, width: core.width,
                height: core.height)
            canvas.write(sheet, part: part, x: core.x, y: core.y, border: plan.border)
        }
        return canvas
    }
}
