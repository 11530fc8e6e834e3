import ChoirTensor

/// The mean and the mean square of what each group of channels holds.
struct GroupMoments: Sendable {
    var means: [Double]
    var squares: [Double]

    /// All numbers, in one list.
    var numbers: [Double] { means + squares }

    /// The moments of a level of which only some blocks are computed.
    ///
    /// - Parameters:
    ///   - blocks: Those of each block.
    ///   - weights: What each block has by its cells; the sum is 1.
    ///   - known: For each block, numbers that are known of the whole level; see ``calibratedWeights(_:known:whole:)``.
    ///   - whole: These numbers of the whole level.
    init(ofBlocks blocks: [GroupMoments], weights: [Double], known: [[Double]], whole: [Double]) {
        let plain = GroupMoments(blocks, weights: weights)
        self.init(blocks, weights: calibratedWeights(weights, known: known, whole: whole))
        // Negative weights could leave next to nothing.
        for group in means.indices where variance(group) < plain.variance(group) / 4 {
            means[group] = plain.means[group]
            squares[group] = plain.squares[group]
        }
    }

    init(means: [Double], squares: [Double]) {
        self.means = means
        self.squares = squares
    }

    private init(_ blocks: [GroupMoments], weights: [Double]) {
        means = [Double](repeating: 0, count: blocks.first?.means.count ?? 0)
        squares = means
        for (block, weight) in zip(blocks, weights) {
            for group in means.indices {
                means[group] += weight * block.means[group]
                squares[group] += weight * block.squares[group]
            }
        }
    }

    private func variance(_ group: Int) -> Double { max(squares[group] - means[group] * means[group], 0) }

    /// What gives each group mean 0 and variance 1 by `x · gain + offset` (Wu and He, arXiv:1803.08494, equation 1),
    /// one number for each of so many channels.
    func normalization(channels: Int, epsilon: Float) -> (gain: Tensor, offset: Tensor) {
        var gain = Tensor(shape: [channels])
        var offset = gain
        for channel in 0..<channels {
            let group = channel / (channels / means.count)
            let factor = 1 / (variance(group) + Double(epsilon)).squareRoot()
            gain[channel] = Float(factor)
            offset[channel] = Float(-means[group] * factor)
        }
        return (gain, offset)
    }
}
