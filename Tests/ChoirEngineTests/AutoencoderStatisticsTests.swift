import ChoirTensor
import Testing

@testable import ChoirEngine

/// What the statistics of a canvas are taken from.
@Suite struct AutoencoderStatisticsTests {
    private static let reaches = [11, 7, 7, 8]

    @Test(arguments: [(1, 1), (3, 700), (64, 64), (200, 90), (1024, 1024)])
    func `sampled blocks fit, stay within bounds and keep valid cells`(height: Int, width: Int) {
        for cells in [1, 20_000, 200_000] {
            var field = SampledField(height: height, width: width, cells: cells, reaches: Self.reaches)
            for level in Self.reaches.indices {
                if level > 0 {
                    let parent = field
                    field = field.next(cells: cells)
                    for block in field.blocks {
                        let (area, valid) = (block.area, parent.blocks[block.parent].valid)
                        #expect(2 * valid.minX <= area.minX && area.maxX <= 2 * valid.maxX)
                        #expect(2 * valid.minY <= area.minY && area.maxY <= 2 * valid.maxY)
                        // Whole pairs of what upsampling makes.
                        #expect([area.x, area.y, area.width, area.height].allSatisfy { $0.isMultiple(of: 2) })
                    }
                }
                let all = Region(x: 0, y: 0, width: width << level, height: height << level)
                let blockCells = field.blockHeight * field.blockWidth
                #expect(field.blocks.count == 1 || field.blocks.count * blockCells <= cells)
                for _ in 0..<Self.reaches[level] { field.convolve() }
                for block in field.blocks {
                    #expect(all.contains(block.area) && block.area.contains(block.valid) && !block.valid.isEmpty)
                    #expect(block.area.width == field.blockWidth && block.area.height == field.blockHeight)
                }
            }
        }
    }

    @Test func `a level that fits is one block without spoiled cells`() {
        var field = SampledField(height: 30, width: 40, cells: 5000, reaches: Self.reaches)
        field.convolve()
        #expect(field.blocks.map(\.valid) == [Region(x: 0, y: 0, width: 40, height: 30)])
        field = field.next(cells: 5000)
        #expect(field.blocks.map(\.area) == [Region(x: 0, y: 0, width: 80, height: 60)])
        field = field.next(cells: 5000)
        #expect(field.blocks.count > 1)
    }

    @Test func `moments make mean 0 and variance 1`() {
        let picture = CounterNoise(seed: 3).normal(
            region: Region(x: 0, y: 0, width: 21, height: 13), channels: 4, draw: 0)
        var scaled = picture.reshaped(to: [1, 4, 13, 21])
        scaled.withMutableSpan { for index in $0.indices { $0[index] = 3 * $0[index] + 100 } }
        var moments = ChannelMoments(channels: 4)
        moments.add(scaled, part: Region(x: 0, y: 0, width: 10, height: 13))
        moments.add(scaled, part: Region(x: 10, y: 0, width: 11, height: 13))
        #expect(moments.count == 273)
        let (gain, offset) = moments.grouped(2).normalization(channels: 4, epsilon: 0)
        for group in 0..<2 {
            var (sum, squares) = (0.0, 0.0)
            for channel in 2 * group..<2 * group + 2 {
                for index in 0..<273 {
                    let value = scaled.elements[channel * 273 + index] * gain[channel] + offset[channel]
                    sum += Double(value)
                    squares += Double(value * value)
                }
            }
            #expect(abs(sum / 546) < 1e-4)
            #expect(abs(squares / 546 - 1) < 1e-4)
        }
    }

    @Test func `what is attended to is every cell, or means of squares of cells`() {
        let elements = (0..<2 * 3 * 5).map(Float.init)
        let window = Tensor(shape: [1, 2, 3, 5], elements: elements)
        let whole = Region(x: 0, y: 0, width: 5, height: 3)
        var all = AttentionContext(height: 3, width: 5, channels: 2, limit: 15)
        all.add(window, part: whole, x: 0, y: 0)
        let cells = all.tokens()
        #expect(cells.shape == [1, 15, 2])
        let expected: [Float] = (0..<15).flatMap { (cell: Int) -> [Float] in [Float(cell), Float(cell + 15)] }
        #expect(cells.elements == expected)
        var means = AttentionContext(height: 3, width: 5, channels: 2, limit: 14)
        means.add(window, part: Region(x: 0, y: 0, width: 3, height: 3), x: 0, y: 0)
        means.add(window, part: Region(x: 3, y: 0, width: 2, height: 3), x: 3, y: 0)
        // Squares of 2 x 2 cells; the last row and column have fewer.
        let wanted: [Float] = [3, 18, 5, 20, 6.5, 21.5, 10.5, 25.5, 12.5, 27.5, 14, 29]
        #expect(means.tokens().elements == wanted)
    }

    @Test func `calibrated weights make blocks agree with what is known of the whole`() {
        let noise = CounterNoise(seed: 7).normal(
            region: Region(x: 0, y: 0, width: 3, height: 200), channels: 1, draw: 0)
        // The blocks of the sample have more of the first number than the whole has, which is 0.
        let known = (0..<200).map { block in
            [Double(noise[0, block, 0]) + 0.5, Double(noise[0, block, 1]), 0.1]
        }
        let plain = [Double](repeating: 1 / 200.0, count: 200)
        let weights = calibratedWeights(plain, known: known, whole: [0, 0, 0.1])
        #expect(abs(weights.reduce(0, +) - 1) < 1e-12)
        func mean(_ weights: [Double], _ number: ([Double]) -> Double) -> Double {
            zip(weights, known).reduce(0) { $0 + $1.0 * number($1.1) }
        }
        // A number that follows from those that are known, and is 3 in the whole.
        let follows = { (known: [Double]) in 2 * known[0] - known[1] + 3 }
        #expect(abs(mean(plain, follows) - 3) > 0.5)
        #expect(abs(mean(weights, follows) - 3) < 0.02)
        // Nothing is known that differs between blocks: rounding must not be taken for it.
        let same = [[Double]](repeating: [0.1, -1e-9, 1e20], count: 200)
        #expect(calibratedWeights(plain, known: same, whole: [0.1, -1e-9, 1e20]) == plain)
    }

    @Test func `moments of blocks are calibrated, but for groups of which too little would be left`() {
        let blocks = [(1.0, 2.0), (3.0, 10.0)].map { GroupMoments(means: [$0.0], squares: [$0.1]) }
        let halves = GroupMoments(ofBlocks: blocks, weights: [0.5, 0.5], known: [[0], [1]], whole: [0.5])
        #expect(halves.means == [2] && halves.squares == [6])
        let most = GroupMoments(ofBlocks: blocks, weights: [0.5, 0.5], known: [[0], [1]], whole: [0.75])
        #expect(abs(most.means[0] - 2.5) < 0.01 && abs(most.squares[0] - 8) < 0.05)
        let beyond = GroupMoments(ofBlocks: blocks, weights: [0.5, 0.5], known: [[0], [1]], whole: [4])
        #expect(beyond.means == [2] && beyond.squares == [6])
    }
}
