/// The random words of one row of cells: four for each cell, stored by word so that loops over cells vectorise.
struct RandomRow {
    private let width: Int
    private var words: [UInt32]

    init(width: Int) {
        self.width = width
        words = [UInt32](repeating: 0, count: 4 * width)
    }

    /// Computes the words of the cells in the given columns of row `y`.
    mutating func fill(columns: [UInt32], y: UInt32, block: UInt32, draw: UInt32, seed: UInt64) {
        let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        let width = width
        columns.withUnsafeBufferPointer { columns in
            words.withUnsafeMutableBufferPointer { words in
                for column in 0..<width {
                    let random = philox4x32(counter: SIMD4(columns[column], y, block, draw), key: key)
                    words[column] = random.x
                    words[width + column] = random.y
                    words[2 * width + column] = random.z
                    words[3 * width + column] = random.w
                }
            }
        }
    }

    /// Turns the words of a pair (0: first and second word, 1: third and fourth) into normal numbers.
    ///
    /// - Parameters:
    ///   - pair: Which words.
    ///   - cosines: Receives one number for each cell.
    ///   - sines: Receives another; may be empty when the channel does not exist.
    func normals(pair: Int, cosines: UnsafeMutableBufferPointer<Float>, sines: UnsafeMutableBufferPointer<Float>) {
        words.withUnsafeBufferPointer { words in
            let first = UnsafeBufferPointer(rebasing: words[(2 * pair * width)...].prefix(width))
            let second = UnsafeBufferPointer(rebasing: words[((2 * pair + 1) * width)...].prefix(width))
            if sines.isEmpty {
                for cell in first.indices {
                    cosines[cell] = boxMuller(first[cell], second[cell]).cosine
                }
            } else {
                for cell in first.indices {
                    let normals = boxMuller(first[cell], second[cell])
                    cosines[cell] = normals.cosine
                    sines[cell] = normals.sine
                }
            }
        }
    }
}
