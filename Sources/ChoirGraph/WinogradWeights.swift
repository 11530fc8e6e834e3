import ChoirTensor

/// The weights of a 3 x 3 convolution as F(4, 3) along rows takes them: six kernels of one row, `G w`, with
///
///     G = [[1/4, 0, 0], [-1/6, -1/6, -1/6], [-1/6, 1/6, -1/6], [1/24, 1/12, 1/6], [1/24, -1/12, 1/6], [0, 0, 1]]
///
/// See Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, section 4.3.
enum WinogradWeights {
    /// One-row kernels, each for one point of the transform.
    static let kernelCount = 6

    /// The kernels, `[6, O, C, 1, 3]` in f32, of a weight `[O, C, 3, 3]`.
    ///
    /// - Parameters:
    ///   - weight: The first byte of the weight.
    ///   - elementType: f32, f16 or bf16.
    ///   - pairCount: `O · C`.
    ///   - kernels: Where `6 · O · C · 3` numbers of f32 go.
    static func transform(
        _ weight: UnsafeRawPointer, _ elementType: ElementType, pairCount: Int, into kernels: UnsafeMutableRawPointer
    ) {
        switch elementType {
        case .f16:
            transform(pairCount, kernels) {
                Double(Float16(bitPattern: weight.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)))
            }
        case .bf16:
            transform(pairCount, kernels) {
                let bits = weight.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)
                return Double(Float(bitPattern: UInt32(bits) << 16))
            }
        default:
            transform(pairCount, kernels) {
                Double(weight.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self))
            }
        }
    }

    private static func transform(
        _ pairCount: Int, _ kernels: UnsafeMutableRawPointer, _ element: (Int) -> Double
    ) {
        let kernels = kernels.assumingMemoryBound(to: Float.self)
        let stride = 3 * pairCount
        for pair in 0..<pairCount {
            for column in 0..<3 {
                let (top, middle, bottom) = (
                    element(9 * pair + column), element(9 * pair + 3 + column), element(9 * pair + 6 + column)
                )
                let outer = (top + bottom) / -6
                let (even, odd) = (top / 24 + bottom / 6, middle / 12)
                let place = 3 * pair + column
                kernels[place] = Float(top / 4)
                kernels[place + stride] = Float(outer - middle / 6)
                kernels[place + 2 * stride] = Float(outer + middle / 6)
                kernels[place + 3 * stride] = Float(even + odd)
                kernels[place + 4 * stride] = Float(even - odd)
                kernels[place + 5 * stride] = Float(bottom)
            }
        }
    }
}
