import Testing

@testable import ChoirModels

/// How a side is cut into the windows of tiles.
@Suite struct AutoencoderTilesTests {
    @Test func `the reaches of Stable Diffusion's decoder are those of its convolutions`() throws {
        let fields = try ConfigurationFields(
            path: "config.json",
            json: [UInt8]("{\"block_out_channels\": [128, 256, 512, 512], \"layers_per_block\": 2}".utf8))
        let configuration = try AutoencoderKLConfiguration(fields)
        // Entrance 1, middle 2 · 2, then three residual blocks at each level and a convolution before and at the end.
        #expect(configuration.decoderReaches == [11, 7, 7, 8])
        // Without what comes before attention.
        #expect(configuration.tileReaches == [8, 7, 7, 8])
        let axis = DecoderAxis(extent: 1000, largestCore: 64, reaches: configuration.tileReaches)
        #expect(axis.halos == [15, 14, 12, 8])
        let tiny = try AutoencoderTinyConfiguration(ConfigurationFields(path: "config.json", json: [UInt8]("{}".utf8)))
        #expect(tiny.decoderReaches == [10, 10, 10, 5])
    }

    @Test(arguments: [1, 2, 7, 36, 37, 63, 64, 65, 100, 129, 1000])
    func `cores cover the side once and every window has what its core needs`(extent: Int) {
        let reaches = [11, 7, 7, 8]
        for largest in [1, 5, 16, 64] {
            let axis = DecoderAxis(extent: extent, largestCore: largest, reaches: reaches)
            #expect((0..<axis.count).flatMap { Array(axis.core($0)) } == Array(0..<extent))
            #expect(axis.core <= largest)
            for index in 0..<axis.count {
                let (core, starts) = (axis.core(index), axis.starts(index))
                // What is right at the end of a level: all of it but what its convolutions spoil at the cuts.
                for level in reaches.indices {
                    let (side, start) = (extent << level, starts[level])
                    let end = start + axis.sizes[level]
                    #expect(start >= 0 && end <= side)
                    let first = start == 0 ? 0 : start + reaches[level]
                    let last = end == side ? side : end - reaches[level]
                    if level + 1 < reaches.count {
                        let crop = axis.crop(index, level: level + 1)
                        #expect(first <= start + crop.lowerBound && start + crop.upperBound <= last)
                        #expect(2 * (start + crop.lowerBound) == starts[level + 1])
                    } else {
                        #expect(first <= core.lowerBound << level && core.upperBound << level <= last)
                    }
                }
            }
        }
    }
}
