import ChoirTensor

/// The channels of a field's blocks as bf16 numbers, which have the range of f32; only statistics are taken of what is
/// computed from them, where their rounding averages out.
struct SampledFeatures {
    private(set) var channels: Int
    private var blocks: [[UInt16]]

    init(channels: Int, field: SampledField) {
        self.channels = channels
        let count = channels * field.blockHeight * field.blockWidth
        blocks = [[UInt16]](repeating: [UInt16](repeating: 0, count: count), count: field.blocks.count)
    }

    /// Keeps only the first channels, and gives the memory of the others back.
    mutating func truncate(channels count: Int) {
        guard count < channels else { return }
        for index in blocks.indices {
            blocks[index] = Array(blocks[index][..<(blocks[index].count / channels * count)])
        }
        channels = count
    }

    /// A window of a block, `[C, h, w]`.
    ///
    /// - Parameters:
    ///   - index: The block.
    ///   - area: What the block holds.
    ///   - window: What to copy.
    func window(_ index: Int, area: Region, _ window: Region) -> Tensor {
        var tensor = Tensor(shape: [channels, window.height, window.width])
        blocks[index].withUnsafeBufferPointer { source in
            tensor.withMutableSpan { destination in
                for channel in 0..<channels {
                    for row in 0..<window.height {
                        let from = (channel * area.height + window.y + row - area.y) * area.width + window.x - area.x
                        let to = (channel * window.height + row) * window.width
                        for column in 0..<window.width {
                            destination[unchecked: to &+ column] = Self.float(source[from &+ column])
                        }
                    }
                }
            }
        }
        return tensor
    }

    private static func float(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// Takes over a part of a window.
    ///
    /// - Parameters:
    ///   - tensor: The window's numbers, `[1, C, h, w]`, with as many channels as these or the first of them.
    ///   - window: Where it lies.
    ///   - part: Which of its cells to take.
    ///   - index: The block.
    ///   - area: What the block holds.
    mutating func write(_ tensor: Tensor, window: Region, part: Region, block index: Int, area: Region) {
        let channels = tensor.shape[1]
        tensor.withSpan { source in
            blocks[index].withUnsafeMutableBufferPointer { destination in
                for channel in 0..<channels {
                    for y in part.minY..<part.maxY {
                        let from = (channel * window.height + y - window.y) * window.width + part.x - window.x
                        let to = (channel * area.height + y - area.y) * area.width + part.x - area.x
                        for column in 0..<part.width {
                            let bits = source[unchecked: from &+ column].bitPattern
                            destination[to &+ column] = UInt16(truncatingIfNeeded: (bits &+ 0x8000) &>> 16)
                        }
                    }
                }
            }
        }
    }
}

/// What a part of the decoder gives, in blocks, and what its moments over the whole level are or are thought to be.
struct MeasuredFeatures {
    var features: SampledFeatures
    var moments: GroupMoments
}

extension MeasuredFeatures {
    /// Nothing.
    init(field: SampledField) {
        self.init(
            features: SampledFeatures(channels: 0, field: field), moments: GroupMoments(means: [], squares: []))
    }
}
