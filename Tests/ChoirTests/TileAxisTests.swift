import Choir
import ChoirTensor
import Testing

@Suite struct TileAxisTests {
    @Test(arguments: [
        (4096, 512, 64, 16), (4096, 512, 128, 16), (1000 / 8 * 8, 64, 16, 8), (16, 512, 64, 16), (528, 512, 64, 16),
        (2048, 1088, 128, 16), (1040, 100, 30, 16), (8192, 512, 0, 16),
    ])
    func `windows cover the axis, overlap enough and stay aligned`(
        length: Int, window: Int, overlap: Int, alignment: Int
    ) {
        let axis = TileAxis(length: length, window: window, overlap: overlap, alignment: alignment)
        #expect(axis.starts.first == 0)
        #expect(axis.starts.last.map { $0 + axis.window } == length)
        #expect(axis.starts.allSatisfy { $0 % alignment == 0 })
        for (left, right) in zip(axis.starts, axis.starts.dropFirst()) {
            #expect(left < right)
            #expect(left + axis.window - right >= overlap)
        }
    }

    @Test(arguments: [(4096, 512, 64), (4096, 512, 256), (1040, 96, 32), (512, 512, 64), (2048, 1088, 0)])
    func `consensus weights sum to exactly one in the order of the tiles`(length: Int, window: Int, overlap: Int) {
        let axis = TileAxis(length: length, window: window, overlap: overlap, alignment: 16)
        let weights = OverlapConsensus().mergeWeights(along: axis)
        var sums = [Float](repeating: 0, count: length)
        for (start, row) in zip(axis.starts, weights) {
            for (offset, weight) in row.enumerated() {
                #expect(weight >= 0)
                sums[start + offset] += weight
            }
        }
        #expect(sums.allSatisfy { abs($0 - 1) <= Float.ulpOfOne })
    }

    @Test(arguments: [(1024, 544, 2), (2048, 560, 4), (4096, 512, 9), (8192, 528, 18), (512, 512, 1), (700, 700, 1)])
    func `a fitted window wastes no overlap`(length: Int, expected: Int, count: Int) {
        let canvas = (length + 15) / 16 * 16
        let window = TileAxis.fittedWindow(length: length, near: 512, overlap: 64, alignment: 16)
        let axis = TileAxis(length: canvas, window: window, overlap: 64, alignment: 16)
        #expect(axis.window == (expected + 15) / 16 * 16)
        #expect(axis.starts.count == count)
    }

    @Test func `a tile has no say at the end of its window inside of the canvas`() {
        let axis = TileAxis(length: 960, window: 512, overlap: 64, alignment: 16)
        let weights = OverlapConsensus().mergeWeights(along: axis)
        #expect(weights[0].suffix(8).allSatisfy { $0 == 0 })
        #expect(weights[1].prefix(8).allSatisfy { $0 == 0 })
        #expect(weights[0].prefix(448).allSatisfy { $0 == 1 })
    }

    @Test func `cores partition the canvas`() {
        let plan = TilePlan(
            columns: TileAxis(length: 304, window: 96, overlap: 16, alignment: 16),
            rows: TileAxis(length: 208, window: 96, overlap: 32, alignment: 16))
        var owners = [Int](repeating: 0, count: 304 * 208)
        for tile in plan.tiles {
            #expect(tile.window.contains(tile.core))
            for y in tile.core.minY..<tile.core.maxY {
                for x in tile.core.minX..<tile.core.maxX { owners[y * 304 + x] += 1 }
            }
        }
        #expect(owners.allSatisfy { $0 == 1 })
        #expect(plan.tiles.map(\.index) == Array(plan.tiles.indices))
    }
}
