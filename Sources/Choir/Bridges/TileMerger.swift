import ChoirTensor

/// Makes one field of what tiles predict, tile after tile in the order of the plan.
///
/// On a canvas: the sum of predictions times the weights of the bridge. On a sheet every tile has a place of its own.
struct TileMerger {
    private let plan: TilePlan
    private let sheet: TileSheet?
    private let weights: (rows: [[Float]], columns: [[Float]])

    /// The sum so far.
    private(set) var denoised: Tensor

    init(bridge: any Bridge, plan: TilePlan, sheet: TileSheet?, shape: Shape) {
        self.plan = plan
        self.sheet = sheet
        weights = (rows: bridge.mergeWeights(along: plan.rows), columns: bridge.mergeWeights(along: plan.columns))
        denoised = Tensor(shape: shape)
    }

    /// Adds a tile's prediction, `[channels, height, width]`.
    mutating func add(_ prediction: Tensor, of tile: Tile) {
        if let sheet {
            let window = sheet.window(of: tile)
            denoised.write(prediction, x: window.x, y: window.y)
        } else {
            let (row, column) = tile.index.quotientAndRemainder(dividingBy: plan.columns.starts.count)
            denoised.accumulate(
                prediction, x: tile.window.x, y: tile.window.y, rowWeights: weights.rows[row],
                columnWeights: weights.columns[column], border: plan.border)
        }
    }
}
