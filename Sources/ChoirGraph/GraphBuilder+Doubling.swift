import ChoirTensor

extension GraphBuilder {
    /// The 3 x 3 convolution, with one cell of padding, of a picture whose cells were each made four, without making that
    /// picture: the same numbers, but for rounding, as after ``interpolate(_:scale:method:)`` by 2 to the nearest.
    ///
    /// A kernel on the enlarged picture meets every cell of the small one several times, so its weights can be added up
    /// beforehand: 16 products a cell in place of 36. What is left is the transposed convolution with a stride of 2 by
    /// the 4 x 4 kernel that has, along each axis,
    ///
    ///     k = (w₂, w₁ + w₂, w₀ + w₁, w₀)
    ///
    /// The sums are of constants; the engine takes them when it compiles.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - weight: `[O, C, 3, 3]`.
    ///   - bias: `[O]`.
    /// - Returns: `[N, O, 2 · H, 2 · W]`.
    public func convolution(ofDoubled x: Value, weight: Value, bias: Value? = nil) throws(GraphError) -> Value {
        let layer = begin("ConvolutionBackpropData")
        try layer.requireFloat(x, weight)
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        guard weight.shape.dimensions == [weight.shape[0], x.shape[1], 3, 3] else {
            throw layer.error(
                .shape, "expected a weight [O, \(x.shape[1]), 3, 3] for the input \(x.shape), found \(weight.shape)")
        }
        let kernel = try transpose(
            doubledKernel(doubledKernel(weight, axis: 2), axis: 3), order: [1, 0, 2, 3])
        let output = emit(
            layer,
            "ConvolutionBackpropData",
            attributes: [
                ("strides", "2,2"), ("dilations", "1,1"), ("pads_begin", "1,1"), ("pads_end", "1,1"),
                ("auto_pad", "explicit"), ("output_padding", "0,0"),
            ],
            inputs: [x, kernel],
            shape: try layer.shape([x.shape[0], weight.shape[0], 2 * x.shape[2], 2 * x.shape[3]])
        )
        guard let bias else { return output }
        guard bias.shape.dimensions == [weight.shape[0]] else {
            throw layer.error(.shape, "expected a bias [\(weight.shape[0])], found \(bias.shape)")
        }
        return try add(output, reshape(bias, to: [1, weight.shape[0], 1, 1]))
    }

    /// The same with the weights `<name>.weight` and `<name>.bias`.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - name: The layer's name in the present scope.
    ///   - outputChannels: `O`.
    ///   - bias: Whether there is a bias.
    public func convolution(
        ofDoubled x: Value, named name: String, outputChannels: Int, bias: Bool = true
    ) throws(GraphError) -> Value {
        try scope(name) { () throws(GraphError) in
            guard x.shape.rank == 4, outputChannels > 0 else {
                throw begin("ConvolutionBackpropData").error(
                    .shape, "expected an input [N, C, H, W] and a positive output, found \(x.shape), \(outputChannels)")
            }
            return try convolution(
                ofDoubled: x,
                weight: weight("weight", shape: [outputChannels, x.shape[1], 3, 3]),
                bias: bias ? weight("bias", shape: [outputChannels]) : nil
            )
        }
    }

    private func doubledKernel(_ weight: Value, axis: Int) throws(GraphError) -> Value {
        let first = try slice(weight, axis: axis, range: 0..<1)
        let middle = try slice(weight, axis: axis, range: 1..<2)
        let last = try slice(weight, axis: axis, range: 2..<3)
        return try concat([last, add(middle, last), add(first, middle), first], axis: axis)
    }
}
