/// The weights of a 3 x 3 convolution as F(4, 3) along rows takes them: six kernels of one row, `G w`, with
///
///     G = [[1/4, 0, 0], [-1/6, -1/6, -1/6], [-1/6, 1/6, -1/6], [1/24, 1/12, 1/6], [1/24, -1/12, 1/6], [0, 0, 1]]
///
/// See Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, section 4.3.
enum WinogradWeights {
    /// One-row kernels, each for one point of the transform.
    static let kernelCount = 6

    /// The kernels, `[6, O, C, 1, 3]`, of a weight `[O, C, 3, 3]`.
    ///
    /// - Parameters:
    ///   - weight: `O · C · 9` numbers.
    ///   - pairCount: `O · C`.
    ///   - kernels: Where `6 · O · C · 3` numbers go.
    static func transform(
        _ weight: UnsafePointer<Float>, pairCount: Int, into kernels: UnsafeMutablePointer<Float>
    ) {
        let stride = 3 * pairCount
        for place in 0..<stride {
            let (pair, column) = (place / 3, place % 3)
            let first = weight + 9 * pair + column
            let (top, middle, bottom) = (Double(first[0]), Double(first[3]), Double(first[6]))
            let outer = (top + bottom) / -6
            let (even, odd) = (top / 24 + bottom / 6, middle / 12)
            kernels[place] = Float(top / 4)
            kernels[place + stride] = Float(outer - middle / 6)
            kernels[place + 2 * stride] = Float(outer + middle / 6)
            kernels[place + 3 * stride] = Float(even + odd)
            kernels[place + 4 * stride] = Float(even - odd)
            kernels[place + 5 * stride] = Float(bottom)
        }
    }
}
