extension Tensor {
    /// A region of the picture resized with bicubic interpolation, for a tensor `[..., height, width]`.
    ///
    /// Keys' kernel with a = -0.75 and cell centres at half positions, as `torch.nn.functional.interpolate(mode:
    /// "bicubic", align_corners=False)` has them. Columns are interpolated before rows.
    ///
    /// - Parameters:
    ///   - region: Cells of the resized picture; none is negative.
    ///   - stepX: Source columns for each column of the result; above 0, 0.5 enlarges by 2.
    ///   - stepY: Source rows for each row of the result.
    ///   - wrapX: Whether the left edge continues at the right one; otherwise edge cells repeat.
    ///   - wrapY: Whether the top edge continues at the bottom one; otherwise edge cells repeat.
    /// - Returns: A tensor `[..., region.height, region.width]`: its cell (x, y) looks at the source position
    ///   `((region.x + x + 0.5) * stepX - 0.5, (region.y + y + 0.5) * stepY - 0.5)`.
    public func resizedBicubic(
        region: Region, stepX: Double, stepY: Double, wrapX: Bool = false, wrapY: Bool = false
    ) -> Tensor {
        precondition(stepX > 0 && stepY > 0, "cannot resize by steps of \(stepX) and \(stepY)")
        let (sourceHeight, sourceWidth) = (height, width)
        let columns = (region.minX..<region.maxX).map {
            CubicTap(target: $0, step: stepX, extent: sourceWidth, wraps: wrapX)
        }
        let rows = (region.minY..<region.maxY).map {
            CubicTap(target: $0, step: stepY, extent: sourceHeight, wraps: wrapY)
        }
        var resized = Tensor(shape: shape(height: rows.count, width: columns.count))
        // Rows of the source, resized along x: each is needed by several rows of the result.
        let needed = rows.reduce(into: Set<Int>()) { $0.formUnion([$1.cells.x, $1.cells.y, $1.cells.z, $1.cells.w]) }
        let first = needed.min() ?? 0
        let wideRows = (needed.max() ?? -1) - first + 1
        var wide = [Float](repeating: 0, count: max(0, wideRows) * columns.count)
        elements.withUnsafeBufferPointer { source in
            wide.withUnsafeMutableBufferPointer { wide in
                resized.elements.withUnsafeMutableBufferPointer { resized in
                    for plane in 0..<planeCount {
                        for row in 0..<wideRows {
                            let start = (plane * sourceHeight + first + row) * sourceWidth
                            for (column, tap) in columns.enumerated() {
                                wide[row * columns.count + column] = tap.sum(source, start: start, stride: 1)
                            }
                        }
                        for (row, tap) in rows.enumerated() {
                            let target = (plane * rows.count + row) * columns.count
                            for column in columns.indices {
                                resized[target + column] = tap.sum(
                                    UnsafeBufferPointer(wide), start: column - first * columns.count,
                                    stride: columns.count)
                            }
                        }
                    }
                }
            }
        }
        return resized
    }
}

/// The four source positions around one position of a resized axis, and their weights.
private struct CubicTap {
    var cells: SIMD4<Int>
    var weights: SIMD4<Float>

    init(target: Int, step: Double, extent: Int, wraps: Bool) {
        let position = (Double(target) + 0.5) * step - 0.5
        let near = position.rounded(.down)
        let t = position - near
        weights = SIMD4(
            Float(Self.outer(1 + t)), Float(Self.inner(t)), Float(Self.inner(1 - t)), Float(Self.outer(2 - t)))
        cells = SIMD4(-1, 0, 1, 2)
        for index in 0..<4 {
            let cell = Int(near) + cells[index]
            cells[index] = wraps ? ((cell % extent) + extent) % extent : min(max(cell, 0), extent - 1)
        }
    }

    func sum(_ source: UnsafeBufferPointer<Float>, start: Int, stride: Int) -> Float {
        source[start + cells.x * stride] * weights.x + source[start + cells.y * stride] * weights.y
            + source[start + cells.z * stride] * weights.z + source[start + cells.w * stride] * weights.w
    }

    /// The kernel for distances up to 1: (a + 2) d³ - (a + 3) d² + 1 (Keys 1981, equation 15).
    private static func inner(_ d: Double) -> Double { (1.25 * d - 2.25) * d * d + 1 }

    /// The kernel for distances from 1 to 2: a d³ - 5 a d² + 8 a d - 4 a.
    private static func outer(_ d: Double) -> Double { ((-0.75 * d + 3.75) * d - 6) * d + 3 }
}
