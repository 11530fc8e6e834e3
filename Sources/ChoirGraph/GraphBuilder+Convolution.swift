import ChoirTensor

extension GraphBuilder {
    /// Two-dimensional convolution (cross-correlation, as neural networks use it).
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - weight: `[O, C / groups, KH, KW]`.
    ///   - bias: `[O]`.
    ///   - stride: The step in rows and columns.
    ///   - padding: Zeros around the picture.
    ///   - dilation: The distance of kernel cells.
    ///   - groups: Into how many independent parts channels are split; `C` for a depthwise convolution.
    /// - Returns: `[N, O, H', W']`.
    public func convolution(
        _ x: Value,
        weight: Value,
        bias: Value? = nil,
        stride: Int = 1,
        padding: Padding = 0,
        dilation: Int = 1,
        groups: Int = 1
    ) throws(GraphError) -> Value {
        let layer = begin(groups == 1 ? "Convolution" : "GroupConvolution")
        try layer.requireFloat(x, weight)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        try layer.requireRank(4, weight, layout: "a weight [O, C, KH, KW]")
        guard stride > 0, dilation > 0, groups > 0, !padding.isNegative else {
            throw layer.error(
                .argument,
                "expected positive stride, dilation and groups and no negative padding, found stride \(stride), "
                    + "dilation \(dilation), groups \(groups), padding \(padding)"
            )
        }
        let outputChannels = weight.shape[0]
        guard outputChannels % groups == 0, weight.shape[1] * groups == x.shape[1] else {
            throw layer.error(
                .shape,
                "weight \(weight.shape) in \(groups) group(s) takes \(weight.shape[1] * groups) channels, "
                    + "the input \(x.shape) has \(x.shape[1])"
            )
        }
        let height = try layer.windowCount(
            extent: x.shape[2],
            kernel: weight.shape[2],
            stride,
            padding.top + padding.bottom,
            dilation
        )
        let width = try layer.windowCount(
            extent: x.shape[3],
            kernel: weight.shape[3],
            stride,
            padding.left + padding.right,
            dilation
        )

        var kernel = weight
        if groups > 1 {
            kernel = try reshape(
                weight,
                to: [groups, outputChannels / groups] + weight.shape.dimensions.dropFirst()
            )
        }
        let output = emit(
            layer,
            groups == 1 ? "Convolution" : "GroupConvolution",
            attributes: [
                ("strides", list([stride, stride])), ("dilations", list([dilation, dilation])),
                ("pads_begin", list([padding.top, padding.left])), ("pads_end", list([padding.bottom, padding.right])),
                ("auto_pad", "explicit"),
            ],
            inputs: [x, kernel],
            shape: try layer.shape([x.shape[0], outputChannels, height, width])
        )
        guard let bias else { return output }
        guard bias.shape.dimensions == [outputChannels] else {
            throw layer.error(.shape, "expected a bias [\(outputChannels)], found \(bias.shape)")
        }
        return try add(output, reshape(bias, to: [1, outputChannels, 1, 1]))
    }

    /// The mean of every window; padding does not count.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - kernel: The rows and columns of a window.
    ///   - stride: The step in rows and columns; the size of the window if not given.
    ///   - padding: Cells around the picture.
    public func averagePool(
        _ x: Value,
        kernel: Int,
        stride: Int? = nil,
        padding: Padding = 0
    ) throws(GraphError) -> Value {
        let layer = begin("AvgPool")
        let stride = stride ?? kernel
        try layer.requireFloat(x)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        guard kernel > 0, stride > 0, !padding.isNegative,
            max(padding.top, padding.bottom, padding.left, padding.right) < kernel
        else {
            throw layer.error(
                .argument,
                "expected a positive kernel and stride and a padding less than the kernel, found kernel \(kernel), "
                    + "stride \(stride), padding \(padding)"
            )
        }
        let height = try layer.windowCount(
            extent: x.shape[2],
            kernel: kernel,
            stride,
            padding.top + padding.bottom,
            1
        )
        let width = try layer.windowCount(
            extent: x.shape[3],
            kernel: kernel,
            stride,
            padding.left + padding.right,
            1
        )
        return emit(
            layer,
            "AvgPool",
            attributes: [
                ("kernel", list([kernel, kernel])), ("strides", list([stride, stride])),
                ("pads_begin", list([padding.top, padding.left])), ("pads_end", list([padding.bottom, padding.right])),
                ("exclude-pad", "true"), ("rounding_type", "floor"), ("auto_pad", "explicit"),
            ],
            inputs: [x],
            shape: try layer.shape([x.shape[0], x.shape[1], height, width])
        )
    }
}

extension LayerContext {
    /// How many windows fit along one axis.
    fileprivate func windowCount(
        extent: Int,
        kernel: Int,
        _ stride: Int,
        _ padding: Int,
        _ dilation: Int
    ) throws(GraphError) -> Int {
        let window = (kernel - 1) * dilation + 1
        guard kernel > 0, extent + padding >= window else {
            throw error(
                .shape,
                "a window of \(window) cells does not fit into \(extent) cells and \(padding) of padding"
            )
        }
        return (extent + padding - window) / stride + 1
    }
}
