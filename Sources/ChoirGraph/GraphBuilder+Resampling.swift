import ChoirTensor

extension GraphBuilder {
    /// How ``interpolate(_:height:width:method:)`` finds a cell.
    public enum Interpolation: Hashable, Sendable {
        /// The cell at `floor(i · old / new)`, as PyTorch's "nearest".
        case nearest
        /// Between the neighbours with cell centres at one half, as PyTorch's "bilinear" without aligned corners.
        case linear
    }

    /// Resizes a picture.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - height: The new number of rows.
    ///   - width: The new number of columns.
    ///   - method: How a cell is found; linear does not smooth first when it shrinks.
    public func interpolate(
        _ x: Value,
        height: Int,
        width: Int,
        method: Interpolation
    ) throws(GraphError) -> Value {
        let layer = begin("Interpolate")
        try layer.requireFloat(x)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        guard height > 0, width > 0 else {
            throw layer.error(.argument, "expected a positive size, found \(height) × \(width)")
        }
        var attributes: [(String, String)] =
            switch method {
            case .nearest:
                [
                    ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"),
                ]
            case .linear:
                [
                    ("mode", "linear_onnx"), ("coordinate_transformation_mode", "half_pixel"),
                    ("nearest_mode", "floor"),
                ]
            }
        attributes += [
            ("shape_calculation_mode", "sizes"), ("antialias", "false"), ("pads_begin", "0,0,0,0"),
            ("pads_end", "0,0,0,0"), ("cube_coeff", "-0.75"),
        ]
        return emit(
            layer,
            "Interpolate",
            opset: 11,
            attributes: attributes,
            inputs: [x, try argument(layer, "sizes", [height, width]), try argument(layer, "axes", [2, 3])],
            shape: try layer.shape([x.shape[0], x.shape[1], height, width])
        )
    }

    /// Enlarges a picture by a whole number.
    public func interpolate(_ x: Value, scale: Int, method: Interpolation) throws(GraphError) -> Value {
        guard x.shape.rank == 4, (1...4096).contains(scale) else {
            throw begin("Interpolate").error(
                .argument,
                "expected an input [N, C, H, W] and a scale of 1 to 4096, found \(x.shape) and \(scale)"
            )
        }
        return try interpolate(x, height: x.shape[2] * scale, width: x.shape[3] * scale, method: method)
    }

    /// Turns blocks of channels into blocks of cells, as PyTorch's `pixel_shuffle`.
    ///
    /// - Parameters:
    ///   - x: `[N, C · r², H, W]`; channel `c · r² + i · r + j` becomes cell `(i, j)` of a block in channel `c`.
    ///   - blockSize: `r`.
    /// - Returns: `[N, C, H · r, W · r]`.
    public func depthToSpace(_ x: Value, blockSize: Int) throws(GraphError) -> Value {
        let layer = begin("DepthToSpace")
        try layer.requireFloat(x)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        guard (1...4096).contains(blockSize), x.shape[1] % (blockSize * blockSize) == 0 else {
            throw layer.error(
                .shape,
                "\(x.shape[1]) channels do not divide into blocks of \(blockSize) × \(blockSize)"
            )
        }
        return emit(
            layer,
            "DepthToSpace",
            attributes: [("mode", "depth_first"), ("block_size", "\(blockSize)")],
            inputs: [x],
            shape: try layer.shape([
                x.shape[0], x.shape[1] / (blockSize * blockSize), x.shape[2] * blockSize, x.shape[3] * blockSize,
            ])
        )
    }

    /// Turns blocks of cells into blocks of channels, as PyTorch's `pixel_unshuffle`; undoes
    /// ``depthToSpace(_:blockSize:)``.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H · r, W · r]`.
    ///   - blockSize: `r`.
    /// - Returns: `[N, C · r², H, W]`.
    public func spaceToDepth(_ x: Value, blockSize: Int) throws(GraphError) -> Value {
        let layer = begin("SpaceToDepth")
        try layer.requireFloat(x)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        guard (1...4096).contains(blockSize), x.shape[2] % blockSize == 0, x.shape[3] % blockSize == 0 else {
            throw layer.error(
                .shape,
                "\(x.shape[2]) × \(x.shape[3]) cells do not divide into blocks of \(blockSize) × \(blockSize)"
            )
        }
        return emit(
            layer,
            "SpaceToDepth",
            attributes: [("mode", "depth_first"), ("block_size", "\(blockSize)")],
            inputs: [x],
            shape: try layer.shape([
                x.shape[0], x.shape[1] * blockSize * blockSize, x.shape[2] / blockSize, x.shape[3] / blockSize,
            ])
        )
    }

    /// Continues a picture beyond its border.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - padding: How many cells to add on each side; less than the extent for ``PaddingMode/reflect``.
    ///   - mode: What they hold.
    public func pad(_ x: Value, _ padding: Padding, mode: PaddingMode = .zero) throws(GraphError) -> Value {
        let layer = begin("Pad")
        try layer.requireFloat(x)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        guard !padding.isNegative else {
            throw layer.error(.argument, "expected a padding that is not negative, found \(padding)")
        }
        guard
            mode != .reflect
                || max(padding.top, padding.bottom) < x.shape[2] && max(padding.left, padding.right) < x.shape[3]
        else {
            throw layer.error(
                .argument,
                "\(padding) cannot be mirrored out of \(x.shape[2]) × \(x.shape[3]) cells"
            )
        }
        var inputs = [
            x, try argument(layer, "begin", [0, 0, padding.top, padding.left]),
            try argument(layer, "end", [0, 0, padding.bottom, padding.right]),
        ]
        if mode == .zero { inputs.append(try constant(0)) }
        return emit(
            layer,
            "Pad",
            attributes: [("pad_mode", mode.rawValue)],
            inputs: inputs,
            shape: try layer.shape([
                x.shape[0], x.shape[1], x.shape[2] + padding.top + padding.bottom,
                x.shape[3] + padding.left + padding.right,
            ])
        )
    }
}
