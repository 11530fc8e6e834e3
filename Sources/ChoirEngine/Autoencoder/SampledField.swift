import ChoirTensor

/// Which cells of one level of a decoder are computed to learn its statistics: the whole level, or blocks of one size
/// that are spread evenly over it.
struct SampledField {
    struct Block {
        /// The cells that are stored, in cells of the whole level.
        let area: Region
        /// Those of them that a whole decode would have as well.
        fileprivate(set) var valid: Region
        /// The block of the level before that it was cut from.
        let parent: Int
    }

    /// The size of the whole level.
    let height: Int
    let width: Int
    private(set) var blocks: [Block]

    var blockHeight: Int { blocks[0].area.height }
    var blockWidth: Int { blocks[0].area.width }

    private var whole: Region { Region(x: 0, y: 0, width: width, height: height) }

    /// Cells of a side of a block, for each level that is left.
    private let sides: ArraySlice<Int>

    /// The first level.
    ///
    /// - Parameters:
    ///   - height: Rows of the level.
    ///   - width: Columns of the level.
    ///   - cells: The most cells that may be stored.
    ///   - reaches: For each level, how many 3 x 3 convolutions work at it.
    init(height: Int, width: Int, cells: Int, reaches: [Int]) {
        let all = Region(x: 0, y: 0, width: width, height: height)
        self.init(
            height: height, width: width, regions: [all], isWhole: true, cells: cells, sides: Self.sides(reaches)[...])
    }

    /// The sides of blocks: as short as they can be, because many short ones tell more than few long ones. What
    /// convolutions leave valid of a block must have room for a block of the next level, and at the last level for some
    /// cells. They are even, as the places of blocks are: those of one level begin and end between the pairs that
    /// upsampling makes.
    ///
    /// Measured with the autoencoder of Stable Diffusion with random weights, 640 x 640 pixels and 256 MiB, against a
    /// whole decode: 53.7 dB with 16 valid cells, 53.4 dB with 8, 53.9 dB with 4.
    private static func sides(_ reaches: [Int]) -> [Int] {
        var sides: [Int] = []
        var valid = 8
        for reach in reaches.reversed() {
            sides.append(valid + 2 * reach)
            valid = (valid + 2 * reach) / 2
            valid += valid % 2
        }
        return sides.reversed()
    }

    /// The next level, of twice the side; see ``init(height:width:cells:reaches:)``.
    func next(cells: Int) -> SampledField {
        let regions = blocks.map {
            Region(x: 2 * $0.valid.x, y: 2 * $0.valid.y, width: 2 * $0.valid.width, height: 2 * $0.valid.height)
        }
        return SampledField(
            height: 2 * height, width: 2 * width, regions: regions, isWhole: blocks[0].area == whole, cells: cells,
            sides: sides.dropFirst())
    }

    private init(
        height: Int, width: Int, regions: [Region], isWhole: Bool, cells: Int, sides: ArraySlice<Int>
    ) {
        self.height = height
        self.width = width
        self.sides = sides
        if isWhole, height * width <= cells {
            blocks = [Block(area: regions[0], valid: regions[0], parent: 0)]
            return
        }
        let side = sides.first ?? 1
        let blockHeight = regions.map(\.height).reduce(side, min)
        let blockWidth = regions.map(\.width).reduce(side, min)
        let count = max(1, cells / (blockHeight * blockWidth))
        let used = min(count, regions.count)
        blocks = []
        for index in 0..<used {
            let parent = (2 * index + 1) * regions.count / (2 * used)
            let region = regions[parent]
            let wanted = Double(count / used) * Double(region.height) / Double(region.width)
            let rows = max(1, min(region.height / blockHeight, Int(wanted.squareRoot().rounded())))
            let columns = max(1, min(region.width / blockWidth, count / used / rows))
            for row in 0..<rows {
                for column in 0..<columns {
                    // Somewhere in its cell of the grid, by Roberts' sequence R2, so that edges have their share and
                    // no pattern of the picture is met with its own period.
                    let place = Double(blocks.count + 1)
                    let y = Self.position(row, of: rows, place * 0.754877666246693, blockHeight, region.height)
                    let x = Self.position(column, of: columns, place * 0.569840290998053, blockWidth, region.width)
                    let area = Region(x: region.x + x, y: region.y + y, width: blockWidth, height: blockHeight)
                    blocks.append(Block(area: area, valid: area, parent: parent))
                }
            }
        }
    }

    private static func position(_ index: Int, of count: Int, _ random: Double, _ side: Int, _ extent: Int) -> Int {
        let (first, last) = (index * extent / count, (index + 1) * extent / count)
        let fraction = (random + 0.5).truncatingRemainder(dividingBy: 1)
        return (first + Int(fraction * Double(max(last - first - side, 0) + 1))) / 2 * 2
    }

    /// What a 3 x 3 convolution does to the blocks: the outermost cells are wrong then, unless they are the canvas's.
    mutating func convolve() {
        for index in blocks.indices {
            let (area, valid) = (blocks[index].area, blocks[index].valid)
            let left = area.minX == 0 ? 0 : valid.minX + 1
            let top = area.minY == 0 ? 0 : valid.minY + 1
            let right = area.maxX == width ? width : valid.maxX - 1
            let bottom = area.maxY == height ? height : valid.maxY - 1
            blocks[index].valid = Region(x: left, y: top, width: max(right - left, 0), height: max(bottom - top, 0))
        }
    }
}
