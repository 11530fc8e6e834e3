/// How one side of a canvas is cut into tiles that a convolutional decoder can work on one by one, exactly.
///
/// A decoder has levels; from one to the next the side doubles. All tiles have windows of the same size, so that one
/// graph serves them all. A window ends where the canvas ends and never beyond: there the zero padding of convolutions
/// is the one of a whole decode. Where it ends inside the canvas the padding is wrong, and the error spreads by a cell
/// with each 3 x 3 convolution. So the window of a level is wider than the tile's core by as many cells as convolutions
/// are still to come, counted in that level's cells, and is cut from one level to the next as far as the levels to come
/// allow: for Stable Diffusion 15 cells of the latents, but only one cell (8 pixels) at full size, where most of the
/// work is. A tile of 64 cells costs 1.3 times its share of a whole decode, and not (94 / 64)² = 2.2 times.
package struct DecoderAxis: Hashable, Sendable {
    /// Cells of the canvas.
    package let extent: Int

    /// Cells of a tile's core; the last tile may have fewer.
    package let core: Int

    /// The number of tiles.
    package let count: Int

    /// Cells of a window at each level, in that level's cells; even from the second level on.
    package let sizes: [Int]

    /// Cells beside the core that a window has at each level, where the canvas is wide enough.
    package let halos: [Int]

    /// Cuts a side.
    ///
    /// - Parameters:
    ///   - extent: Cells of the canvas; positive.
    ///   - largestCore: The most cells of a core; positive.
    ///   - reaches: For each level, how many 3 x 3 convolutions work at it.
    package init(extent: Int, largestCore: Int, reaches: [Int]) {
        self.extent = extent
        count = (extent + largestCore - 1) / largestCore
        core = (extent + count - 1) / count
        var halos = reaches
        for level in reaches.indices.reversed() {
            if level + 1 < reaches.count { halos[level] += halos[level + 1] / 2 }
            // Even, so that a window begins and ends between the pairs that upsampling makes.
            if level > 0 { halos[level] += halos[level] % 2 }
        }
        self.halos = halos
        let core = core
        sizes = halos.indices.map { min(extent << $0, (core << $0) + 2 * halos[$0]) }
    }

    /// The canvas cells that tile `index` owns.
    package func core(_ index: Int) -> Range<Int> { index * core..<min((index + 1) * core, extent) }

    /// Where the windows of tile `index` begin at each level, in that level's cells.
    package func starts(_ index: Int) -> [Int] {
        sizes.indices.map { level in
            min(max(((index * core) << level) - halos[level], 0), (extent << level) - sizes[level])
        }
    }

    /// Whether the window of `level` is only a part of that of the level before.
    package func isCut(level: Int) -> Bool { sizes[level] / 2 != sizes[level - 1] }

    /// Which cells of the window of the level before belong to the window of `level`, before it is upsampled.
    package func crop(_ index: Int, level: Int) -> Range<Int> {
        let starts = starts(index)
        let first = starts[level] / 2 - starts[level - 1]
        return first..<first + sizes[level] / 2
    }
}
