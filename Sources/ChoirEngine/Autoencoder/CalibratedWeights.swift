/// Weights for blocks of a canvas, such that what is known of the whole canvas is true of the weighted blocks.
///
/// The moments of what a layer gives are wanted for the whole canvas, but only some blocks are computed. Those of what
/// it takes are known for both. Weights that make the latter agree bring the former near the truth too, as far as one
/// follows from the other linearly: the calibration of survey sampling (Deville and Särndal, JASA 87, 1992, equation
/// 2.5), which for means is the regression estimator.
///
/// - Parameters:
///   - weights: What each block has by itself; the sum is 1.
///   - known: For each block, the same numbers that are known of the whole.
///   - whole: These numbers of the whole.
/// - Returns: Weights whose sum is 1; some may be negative.
func calibratedWeights(_ weights: [Double], known: [[Double]], whole: [Double]) -> [Double] {
    // What keeps few blocks from being bent to many numbers, as a part of each number's variance.
    let ridge = 0.01
    var deviations = known
    var target = whole
    for number in whole.indices {
        var (mean, size, square) = (0.0, 0.0, 0.0)
        for block in known.indices {
            mean += weights[block] * known[block][number]
            size = max(size, abs(known[block][number]))
        }
        for block in known.indices {
            let difference = known[block][number] - mean
            square += weights[block] * difference * difference
        }
        // A number that is the same in all blocks, but for rounding, tells nothing.
        let factor = square > 1e-12 * size * size ? 1 / square.squareRoot() : 0
        for block in known.indices { deviations[block][number] = (known[block][number] - mean) * factor }
        target[number] = (whole[number] - mean) * factor
    }
    var correlations = [[Double]](repeating: [Double](repeating: 0, count: whole.count), count: whole.count)
    for (block, row) in deviations.enumerated() {
        for i in row.indices {
            let scaled = weights[block] * row[i]
            for j in 0...i { correlations[i][j] += scaled * row[j] }
        }
    }
    for number in whole.indices { correlations[number][number] += ridge }
    let slopes = solved(correlations, target)
    return weights.indices.map { block in
        weights[block] * (1 + zip(deviations[block], slopes).reduce(0) { $0 + $1.0 * $1.1 })
    }
}

/// The solution of `matrix · x = vector` by Cholesky's decomposition, for a positive definite matrix whose lower half
/// is given.
private func solved(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    var lower = matrix
    var x = vector
    for i in x.indices {
        for j in 0...i {
            var sum = lower[i][j]
            for k in 0..<j { sum -= lower[i][k] * lower[j][k] }
            lower[i][j] = i == j ? sum.squareRoot() : sum / lower[j][j]
        }
        for k in 0..<i { x[i] -= lower[i][k] * x[k] }
        x[i] /= lower[i][i]
    }
    for i in x.indices.reversed() {
        for k in i + 1..<x.count { x[i] -= lower[k][i] * x[k] }
        x[i] /= lower[i][i]
    }
    return x
}
