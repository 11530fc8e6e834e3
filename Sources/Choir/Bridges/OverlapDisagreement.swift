import ChoirTensor

/// Whether tiles agree before a bridge hides it: the variance between predictions in the overlaps.
///
/// Where tiles are averaged, with weights w_i that sum to 1, the variance of a cell is
///
///     sum_i w_i (D_i - D)²,   D = sum_i w_i D_i
///
/// and grows by w W / (W + w) · (D_i - S / W)² as tile i is added to those before it, whose weights sum to W and their
/// weighted predictions to S (West 1979). So the merged field is all that must be kept. Where each cell is of one tile
/// alone, it is the variance of two: a quarter of the squared difference between what a tile predicts of its padding and
/// what the tile predicted that has it for its core, as far as that one was before it.
struct OverlapDisagreement {
    private let plan: TilePlan
    private let weights: (rows: [[Float]], columns: [[Float]])
    /// For each window of an axis and cell of it, the weights of the windows before it.
    private let earlier: (rows: [[Float]], columns: [[Float]])
    private let averages: Bool
    private var sum = 0.0
    private var count = 0

    init(plan: TilePlan, rowWeights: [[Float]], columnWeights: [[Float]]) {
        self.plan = plan
        weights = (rowWeights, columnWeights)
        earlier = (Self.earlier(plan.rows, rowWeights), Self.earlier(plan.columns, columnWeights))
        averages = (rowWeights + columnWeights).contains { $0.contains { $0 != 0 && $0 != 1 } }
    }

    /// The mean over all channels of the cells in overlaps; nil where there were none.
    var mean: Double? { count > 0 ? sum / Double(count) : nil }

    /// Adds a prediction, before it is added to the field that holds all that came before it.
    mutating func add(_ prediction: Tensor, of tile: Tile, to denoised: Tensor) {
        let (row, column) = tile.index.quotientAndRemainder(dividingBy: plan.columns.starts.count)
        let (rowWeights, earlierRows) = (weights.rows[row], earlier.rows[row])
        let (columnWeights, earlierColumns) = (weights.columns[column], earlier.columns[column])
        let hasEarlierColumns = earlierColumns.contains { $0 > 0 }
        let (width, height) = (tile.window.width, tile.window.height)
        let channels = prediction.shape[0]
        let (canvasWidth, canvasHeight) = (plan.columns.length, plan.rows.length)
        let averages = averages
        var (sum, count) = (0.0, 0)
        prediction.withSpan { prediction in
            denoised.withSpan { denoised in
                for y in 0..<height where earlierRows[y] > 0 || (hasEarlierColumns && rowWeights[y] > 0) {
                    let canvasRow = (tile.window.y + y) % canvasHeight
                    for x in 0..<width {
                        // Rows before this one have been added whole; of this one, the columns before this one.
                        let weight = rowWeights[y] * columnWeights[x]
                        let before = earlierRows[y] + rowWeights[y] * earlierColumns[x]
                        guard averages ? weight > 0 && before > 0 : weight == 0 && before == 1 else { continue }
                        let share = averages ? weight * before / (before + weight) : 0.25
                        let cell = canvasRow * canvasWidth + (tile.window.x + x) % canvasWidth
                        for channel in 0..<channels {
                            let here = prediction[unchecked: (channel * height + y) * width + x]
                            let merged = denoised[unchecked: channel * canvasWidth * canvasHeight + cell]
                            let difference = here - merged / before
                            sum += Double(share * difference * difference)
                        }
                        // A cell under four tiles is met three times; its variance is the sum of the three.
                        count += channels
                    }
                }
            }
        }
        self.sum += sum
        self.count += count
    }

    private static func earlier(_ axis: TileAxis, _ weights: [[Float]]) -> [[Float]] {
        var sums = [Float](repeating: 0, count: axis.length)
        return zip(axis.starts, weights).map { start, weights in
            let before = weights.indices.map { min(1, sums[(start + $0) % axis.length]) }
            for (offset, weight) in weights.enumerated() { sums[(start + offset) % axis.length] += weight }
            return before
        }
    }
}
