import ChoirTensor

extension Tensor {
    /// A canvas `[channels, height, width]` whose bands of 128 rows are made at the same time.
    ///
    /// - Parameter band: Makes the rows of a range, `[channels, rows, width]`.
    static func madeInBands(shape: Shape, _ band: @escaping @Sendable (Range<Int>) -> Tensor) async throws -> Tensor {
        var canvas = Tensor(shape: shape)
        let height = canvas.height
        try await withThrowingTaskGroup(of: (Int, Tensor).self) { group in
            for top in stride(from: 0, to: height, by: 128) {
                group.addTask {
                    try Task.checkCancellation()
                    return (top, band(top..<min(top + 128, height)))
                }
            }
            for try await (top, band) in group { canvas.write(band, x: 0, y: top) }
        }
        return canvas
    }
}
