extension Tensor {
    /// The mean of every block of `factor` × `factor` cells (box filter), for a tensor `[..., height, width]`.
    ///
    /// - Returns: A tensor `[..., height / factor, width / factor]`.
    /// - Precondition: `factor` is positive and divides height and width.
    public func averagePooled(by factor: Int) -> Tensor {
        precondition(
            factor > 0 && height % factor == 0 && width % factor == 0,
            "a box of \(factor) cells does not divide the shape \(shape)"
        )
        guard factor > 1 else { return self }
        var pooled = Tensor(shape: shape(height: height / factor, width: width / factor))
        let (sourceWidth, pooledWidth) = (width, pooled.width)
        let scale = 1 / Float(factor * factor)
        elements.withUnsafeBufferPointer { source in
            pooled.elements.withUnsafeMutableBufferPointer { pooled in
                for pooledRow in 0..<(planeCount * (height / factor)) {
                    for column in 0..<pooledWidth {
                        var sum: Float = 0
                        for row in 0..<factor {
                            let start = (pooledRow * factor + row) * sourceWidth + column * factor
                            for index in start..<(start + factor) { sum += source[index] }
                        }
                        pooled[pooledRow * pooledWidth + column] = sum * scale
                    }
                }
            }
        }
        return pooled
    }

    /// The picture enlarged by a whole factor with bilinear interpolation, for a tensor `[..., height, width]`.
    ///
    /// Cell centres are at half positions, as in `torch.nn.functional.interpolate(align_corners=False)`: cell `i` of
    /// the result looks at position `(i + 0.5) / factor - 0.5` of the source. Rows are interpolated before columns.
    ///
    /// - Parameters:
    ///   - factor: The enlargement; positive.
    ///   - wrapX: Whether the left edge continues at the right one; otherwise edge cells repeat.
    ///   - wrapY: Whether the top edge continues at the bottom one; otherwise edge cells repeat.
    /// - Returns: A tensor `[..., height * factor, width * factor]`.
    public func upsampledBilinear(by factor: Int, wrapX: Bool = false, wrapY: Bool = false) -> Tensor {
        precondition(factor > 0, "cannot enlarge by \(factor)")
        let (sourceHeight, sourceWidth) = (height, width)
        let columns = (0..<(sourceWidth * factor)).map {
            InterpolationTap(target: $0, factor: factor, extent: sourceWidth, wraps: wrapX)
        }
        let rows = (0..<(sourceHeight * factor)).map {
            InterpolationTap(target: $0, factor: factor, extent: sourceHeight, wraps: wrapY)
        }
        var wide = Tensor(shape: shape(height: sourceHeight, width: columns.count))
        elements.withUnsafeBufferPointer { source in
            wide.elements.withUnsafeMutableBufferPointer { wide in
                for row in 0..<(planeCount * sourceHeight) {
                    for (column, tap) in columns.enumerated() {
                        let near = source[row * sourceWidth + tap.near]
                        let far = source[row * sourceWidth + tap.far]
                        wide[row * columns.count + column] = near + tap.fraction * (far - near)
                    }
                }
            }
        }
        var enlarged = Tensor(shape: shape(height: rows.count, width: columns.count))
        wide.elements.withUnsafeBufferPointer { wide in
            enlarged.elements.withUnsafeMutableBufferPointer { enlarged in
                for plane in 0..<planeCount {
                    for (row, tap) in rows.enumerated() {
                        let nearRow = (plane * sourceHeight + tap.near) * columns.count
                        let farRow = (plane * sourceHeight + tap.far) * columns.count
                        let targetRow = (plane * rows.count + row) * columns.count
                        for column in 0..<columns.count {
                            let near = wide[nearRow + column]
                            enlarged[targetRow + column] = near + tap.fraction * (wide[farRow + column] - near)
                        }
                    }
                }
            }
        }
        return enlarged
    }
}

/// The two source positions between which one position of an enlarged axis lies.
private struct InterpolationTap {
    var near: Int
    var far: Int
    /// The distance from `near`, in source cells.
    var fraction: Float

    init(target: Int, factor: Int, extent: Int, wraps: Bool) {
        // (target + 0.5) / factor - 0.5 as a quotient of integers, so that the fraction is the nearest Float.
        let numerator = 2 * target + 1 - factor
        let denominator = 2 * factor
        let remainder = ((numerator % denominator) + denominator) % denominator
        let position = (numerator - remainder) / denominator
        fraction = Float(remainder) / Float(denominator)
        if wraps {
            near = (position + extent) % extent
            far = (position + 1) % extent
        } else {
            near = max(position, 0)
            far = min(position + 1, extent - 1)
        }
    }
}
