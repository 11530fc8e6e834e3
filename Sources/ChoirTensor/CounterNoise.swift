/// Gaussian noise that is a pure function of (seed, cell, channel, draw): it has no state.
///
/// Tiles, threads and hosts that look at the same cell get the same number without talking to each other, and a
/// resumed run needs no generator state. One call of Philox 4x32-10 with the counter
/// `(x, y, channel / 4, draw)` and the seed as key gives four words, which the transform of Box and Muller
/// turns into normal numbers for four consecutive channels. Only additions, multiplications, divisions and square roots
/// of `Double` are involved, all of which IEEE 754 rounds in one way, so every processor computes the same bits.
public struct CounterNoise: Hashable, Sendable {
    /// The seed.
    public let seed: UInt64

    /// Makes the noise of a seed.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Normal numbers (mean 0, variance 1) for a region of an infinite or wrapping canvas.
    ///
    /// - Parameters:
    ///   - region: The cells. Positions count modulo 2³², so they may be negative.
    ///   - channels: How many channels; channel `c` does not depend on how many there are.
    ///   - draw: Which of the independent canvases of this seed, such as one for each sampler step; `0..<2³²`.
    ///   - wrapWidth: The canvas width when the left edge continues at the right one; nil for an unbounded axis.
    ///   - wrapHeight: The canvas height when the top edge continues at the bottom one; nil for an unbounded axis.
    /// - Returns: A tensor `[channels, region.height, region.width]`.
    /// - Precondition: `channels` and `draw` are not negative; canvas extents are positive.
    public func normal(
        region: Region,
        channels: Int,
        draw: Int,
        wrapWidth: Int? = nil,
        wrapHeight: Int? = nil
    ) -> Tensor {
        precondition(channels >= 0, "noise cannot have \(channels) channels")
        precondition((0...Int(UInt32.max)).contains(draw), "draw \(draw) does not fit in 32 bits")
        var noise = Tensor(shape: [channels, region.height, region.width])
        let planeSize = region.width * region.height
        let columns = CounterNoise.words(start: region.x, count: region.width, extent: wrapWidth)
        let rows = CounterNoise.words(start: region.y, count: region.height, extent: wrapHeight)
        var random = RandomRow(width: region.width)
        noise.elements.withUnsafeMutableBufferPointer { noise in
            for (row, y) in rows.enumerated() {
                for firstChannel in stride(from: 0, to: channels, by: 4) {
                    random.fill(
                        columns: columns,
                        y: y,
                        block: UInt32(truncatingIfNeeded: firstChannel / 4),
                        draw: UInt32(draw),
                        seed: seed
                    )
                    for pair in 0..<2 {
                        let channel = firstChannel + 2 * pair
                        guard channel < channels else { break }
                        let start = channel * planeSize + row * region.width
                        let cosines = UnsafeMutableBufferPointer(rebasing: noise[start...].prefix(region.width))
                        let sines = UnsafeMutableBufferPointer(
                            rebasing: noise[min(start + planeSize, noise.count)...].prefix(region.width)
                        )
                        random.normals(pair: pair, cosines: cosines, sines: sines)
                    }
                }
            }
        }
        return noise
    }

    /// The counter words of consecutive positions on one axis.
    private static func words(start: Int, count: Int, extent: Int?) -> [UInt32] {
        precondition(extent.map { $0 > 0 } ?? true, "a canvas needs a positive extent")
        return (start..<(start + count)).map { position in
            guard let extent else { return UInt32(truncatingIfNeeded: position) }
            let remainder = position % extent
            return UInt32(truncatingIfNeeded: remainder < 0 ? remainder + extent : remainder)
        }
    }
}
