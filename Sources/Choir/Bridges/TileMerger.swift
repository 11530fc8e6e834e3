import ChoirTensor

/// Makes one field of what tiles predict, tile after tile in the order of the plan.
///
/// On a canvas: the sum of predictions times the weights of the bridge. On a sheet every tile has a place of its own.
struct TileMerger {
    private let plan: TilePlan
    private let sheet: TileSheet?
    private let weights: (rows: [[Float]], columns: [[Float]])
    private var differences: OverlapDisagreement?

    /// The sum so far.
    private(set) var denoised: Tensor

    init(bridge: any Bridge, plan: TilePlan, sheet: TileSheet?, shape: Shape) {
        self.plan = plan
        self.sheet = sheet
        weights = (rows: bridge.mergeWeights(along: plan.rows), columns: bridge.mergeWeights(along: plan.columns))
        differences =
            bridge.overlaps && plan.count > 1
            ? OverlapDisagreement(plan: plan, rowWeights: weights.rows, columnWeights: weights.columns) : nil
        denoised = Tensor(shape: shape)
    }

    /// Adds a tile's prediction, `[channels, height, width]`.
    mutating func add(_ prediction: Tensor, of tile: Tile) {
        if let sheet {
            let window = sheet.window(of: tile)
            denoised.write(prediction, x: window.x, y: window.y)
        } else {
            differences?.add(prediction, of: tile, to: denoised)
            let (row, column) = tile.index.quotientAndRemainder(dividingBy: plan.columns.starts.count)
            denoised.accumulate(
                prediction, x: tile.window.x, y: tile.window.y, rowWeights: weights.rows[row],
                columnWeights: weights.columns[column], border: plan.border)
        }
    }

    /// How far the tiles disagreed, after the last was added; nil where none overlap.
    var disagreement: Double? {
        guard let sheet, var differences else { return differences?.mean }
        // Of tiles that do not share a canvas: against the picture that their cores would make now.
        let stitched = sheet.stitch(denoised)
        for tile in plan.tiles {
            differences.add(denoised.copy(region: sheet.window(of: tile)), of: tile, to: stitched)
        }
        return differences.mean
    }
}
