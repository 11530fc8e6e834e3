import ChoirModels
import ChoirTensor

/// The windows that a part of a decoder is run in, over all blocks of a field.
struct FieldWindows {
    let blocks: [SampledField.Block]

    /// What the part multiplies sides by.
    let scale: Int

    private let rows: DecoderAxis
    private let columns: DecoderAxis

    /// - Parameters:
    ///   - field: The blocks, of the level that the part gives.
    ///   - largestCore: The most cells of a side that one run adds.
    ///   - reaches: As those of a ``DecoderAxis``, for one level, or for two of which the part gives the second.
    init(_ field: SampledField, largestCore: Int, reaches: [Int]) {
        blocks = field.blocks
        scale = 1 << (reaches.count - 1)
        rows = DecoderAxis(extent: field.blockHeight / scale, largestCore: largestCore / scale, reaches: reaches)
        columns = DecoderAxis(extent: field.blockWidth / scale, largestCore: largestCore / scale, reaches: reaches)
    }

    /// Rows and columns of a window that the part takes.
    var height: Int { rows.sizes[0] }
    var width: Int { columns.sizes[0] }

    /// How many windows there are, block by block.
    var count: Int { blocks.count * perBlock }

    private var perBlock: Int { rows.count * columns.count }

    /// The block that a window lies in, and its number.
    func block(_ job: Int) -> (number: Int, block: SampledField.Block) { (job / perBlock, blocks[job / perBlock]) }

    /// A window that the part takes, in cells of its level.
    func input(_ job: Int) -> Region { region(job, level: 0, scale: scale).window }

    /// What it gives, in cells of the field's level, and the part of that which is this window's own.
    func output(_ job: Int) -> (window: Region, core: Region) {
        region(job, level: scale.trailingZeroBitCount, scale: 1)
    }

    private func region(_ job: Int, level: Int, scale: Int) -> (window: Region, core: Region) {
        let area = blocks[job / perBlock].area
        let place = job % perBlock
        return rows.region(
            place / columns.count, by: columns, place % columns.count, level: level,
            at: (area.x / scale, area.y / scale))
    }
}
