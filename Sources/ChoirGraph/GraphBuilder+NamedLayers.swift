import ChoirTensor

// Layers with their weights, under the names that PyTorch gives them in a checkpoint.
extension GraphBuilder {
    /// A convolution whose weights are `<name>.weight` and `<name>.bias`; see ``convolution(_:weight:bias:stride:padding:dilation:groups:)``.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - name: The layer's name in the present scope.
    ///   - outputChannels: `O`.
    ///   - kernel: The rows and columns of the kernel.
    ///   - stride: The step in rows and columns.
    ///   - padding: Zeros around the picture.
    ///   - dilation: The distance of kernel cells.
    ///   - groups: Into how many independent parts channels are split.
    ///   - bias: Whether there is a bias.
    public func convolution(
        _ x: Value,
        named name: String,
        outputChannels: Int,
        kernel: Int,
        stride: Int = 1,
        padding: Padding = 0,
        dilation: Int = 1,
        groups: Int = 1,
        bias: Bool = true
    ) throws(GraphError) -> Value {
        try scope(name) { () throws(GraphError) in
            guard x.shape.rank == 4, groups > 0, x.shape[1] % groups == 0, outputChannels > 0, kernel > 0 else {
                throw begin("Convolution").error(
                    .shape,
                    "expected an input [N, C, H, W] whose channels divide into \(groups) groups, and a positive "
                        + "kernel and output, found \(x.shape), kernel \(kernel), output \(outputChannels)"
                )
            }
            return try convolution(
                x,
                weight: weight("weight", shape: [outputChannels, x.shape[1] / groups, kernel, kernel]),
                bias: bias ? weight("bias", shape: [outputChannels]) : nil,
                stride: stride,
                padding: padding,
                dilation: dilation,
                groups: groups
            )
        }
    }

    /// A linear map of the last axis whose weights are `<name>.weight` and `<name>.bias`; see
    /// ``linear(_:weight:bias:)``.
    public func linear(
        _ x: Value,
        named name: String,
        outputs: Int,
        bias: Bool = true
    ) throws(GraphError) -> Value {
        try scope(name) { () throws(GraphError) in
            guard let inputs = x.shape.dimensions.last, outputs > 0 else {
                throw begin("MatMul").error(
                    .shape,
                    "expected an input […, I] and a positive output, found \(x.shape), output \(outputs)"
                )
            }
            return try linear(
                x,
                weight: weight("weight", shape: [outputs, inputs]),
                bias: bias ? weight("bias", shape: [outputs]) : nil
            )
        }
    }

    /// A linear map with bias, as ``linear(_:named:outputs:bias:)``, whose outputs are cut into parts.
    ///
    /// Each part is a layer of its own, with its rows of the weight: so nothing is computed only to be copied.
    ///
    /// - Parameters:
    ///   - x: `[…, I]`.
    ///   - name: The layer's name in the present scope.
    ///   - parts: How many outputs each part has; their sum is that of the weight.
    /// - Returns: The parts, each `[…, its outputs]`.
    public func linear(_ x: Value, named name: String, parts: [Int]) throws(GraphError) -> [Value] {
        try scope(name) { () throws(GraphError) in
            guard let inputs = x.shape.dimensions.last, !parts.isEmpty, parts.allSatisfy({ $0 > 0 }) else {
                throw begin("MatMul").error(
                    .shape, "expected an input […, I] and positive outputs, found \(x.shape), outputs \(parts)")
            }
            let outputs = parts.reduce(0, +)
            let weight = try weight("weight", shape: [outputs, inputs])
            let bias = try self.weight("bias", shape: [outputs])
            var first = 0
            return try parts.map { count throws(GraphError) in
                defer { first += count }
                let range = first..<(first + count)
                return try linear(x, weight: rows(range, of: weight), bias: rows(range, of: bias))
            }
        }
    }

    /// A group normalisation whose weights are `<name>.weight` and `<name>.bias`; see
    /// ``groupNormalization(_:scale:shift:groups:epsilon:)``.
    public func groupNormalization(
        _ x: Value,
        named name: String,
        groups: Int,
        epsilon: Float = 1e-5
    ) throws(GraphError) -> Value {
        try scope(name) { () throws(GraphError) in
            guard x.shape.rank >= 2 else {
                throw begin("GroupNormalization").error(.shape, "expected [N, C, …], found \(x.shape)")
            }
            return try groupNormalization(
                x,
                scale: weight("weight", shape: [x.shape[1]]),
                shift: weight("bias", shape: [x.shape[1]]),
                groups: groups,
                epsilon: epsilon
            )
        }
    }

    /// A layer normalisation whose weights are `<name>.weight` and `<name>.bias`; see
    /// ``layerNormalization(_:scale:shift:epsilon:)``.
    public func layerNormalization(
        _ x: Value,
        named name: String,
        epsilon: Float = 1e-5,
        bias: Bool = true
    ) throws(GraphError) -> Value {
        try scope(name) { () throws(GraphError) in
            guard let width = x.shape.dimensions.last else {
                throw begin("MVN").error(.shape, "expected […, C], found \(x.shape)")
            }
            return try layerNormalization(
                x,
                scale: weight("weight", shape: [width]),
                shift: bias ? weight("bias", shape: [width]) : nil,
                epsilon: epsilon
            )
        }
    }

    /// The rows of the table `<name>.weight` that `indices` name.
    ///
    /// - Parameters:
    ///   - indices: i32 or i64 of any shape, each from 0 to `count - 1`.
    ///   - name: The layer's name in the present scope.
    ///   - count: The number of rows.
    ///   - width: The number of columns.
    /// - Returns: The shape of `indices` with the width added.
    public func embedding(
        _ indices: Value,
        named name: String,
        count: Int,
        width: Int
    ) throws(GraphError) -> Value {
        try scope(name) { () throws(GraphError) in
            guard count > 0, width > 0 else {
                throw begin("Gather").error(
                    .argument,
                    "expected a table with rows and columns, found \(count) × \(width)"
                )
            }
            return try gather(weight("weight", shape: [count, width]), indices: indices)
        }
    }
}
