import ChoirTensor

extension Tensor {
    /// Rows of a canvas `[channels, height, width]` in -1 ... 1 as interleaved RGB bytes; one channel becomes grey.
    package func interleavedBytes(rows: Range<Int>, width: Int) -> [UInt8] {
        let plane = height * self.width
        let channels = [0, 1, 2].map { min($0, shape[shape.rank - 3] - 1) * plane }
        return withSpan { canvas in
            [UInt8](unsafeUninitializedCapacity: rows.count * width * 3) { bytes, count in
                var next = 0
                for row in rows {
                    for column in 0..<width {
                        let cell = row * self.width + column
                        for channel in channels {
                            let level = (canvas[unchecked: channel + cell] + 1) * 127.5 + 0.5
                            bytes[next] = UInt8(max(0, min(255, level)))
                            next += 1
                        }
                    }
                }
                count = next
            }
        }
    }

    /// Rows of a grey canvas `[1, height, width]` in -1 ... 1 as 16-bit numbers.
    package func greyLevels() -> [UInt16] {
        withSpan { canvas in
            [UInt16](unsafeUninitializedCapacity: canvas.count) { levels, count in
                for index in canvas.indices {
                    let level = (canvas[unchecked: index] + 1) * 32767.5 + 0.5
                    levels[index] = UInt16(max(0, min(65535, level)))
                }
                count = canvas.count
            }
        }
    }
}
