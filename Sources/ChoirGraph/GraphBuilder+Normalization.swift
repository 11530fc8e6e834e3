import ChoirTensor

extension GraphBuilder {
    /// Group normalisation: mean 0 and variance 1 over each group of channels and the whole picture, then a scale and
    /// a shift per channel (Wu and He, arXiv:1803.08494, equation 1).
    ///
    /// - Parameters:
    ///   - x: `[N, C, …]`.
    ///   - scale: `[C]`.
    ///   - shift: `[C]`.
    ///   - groups: The number of groups; divides `C`.
    ///   - epsilon: What is added to the variance.
    public func groupNormalization(
        _ x: Value,
        scale: Value,
        shift: Value,
        groups: Int,
        epsilon: Float = 1e-5
    ) throws(GraphError) -> Value {
        let layer = begin("GroupNormalization")
        try layer.requireFloat(x, scale, shift)
        guard x.shape.rank >= 2 else { throw layer.error(.shape, "expected [N, C, …], found \(x.shape)") }
        let channels = x.shape[1]
        guard groups > 0, channels % groups == 0 else {
            throw layer.error(.argument, "\(channels) channels do not divide into \(groups) groups")
        }
        for (role, value) in [("scale", scale), ("shift", shift)] where value.shape.dimensions != [channels] {
            throw layer.error(.shape, "expected a \(role) [\(channels)], found \(value.shape)")
        }
        // Not as one operation: the engine has two ways to compute that, one for a single thread and one for several, and
        // their results differ in the last bits.
        let grouped = try reshape(x, to: [x.shape[0], groups, -1])
        let normal = try reshape(
            meanVarianceNormalization(grouped, axes: [2], epsilon: epsilon), to: x.shape.dimensions)
        let perChannel = [1, channels] + [Int](repeating: 1, count: x.shape.rank - 2)
        return try add(multiply(normal, reshape(scale, to: perChannel)), reshape(shift, to: perChannel))
    }

    /// Mean 0 and variance 1 over the given axes: `(x − mean) / sqrt(variance + epsilon)`.
    public func meanVarianceNormalization(
        _ x: Value,
        axes: [Int],
        epsilon: Float = 1e-5
    ) throws(GraphError) -> Value {
        let layer = begin("MVN")
        try layer.requireFloat(x)
        let axes = try layer.axes(axes, rank: x.shape.rank)
        return emit(
            layer,
            "MVN",
            opset: 6,
            attributes: [("eps", "\(epsilon)"), ("normalize_variance", "true"), ("eps_mode", "inside_sqrt")],
            inputs: [x, try argument(layer, "axes", axes)],
            shape: x.shape
        )
    }

    /// Layer normalisation over the last axis, then a scale and a shift (Ba et al., arXiv:1607.06450, equation 4).
    ///
    /// - Parameters:
    ///   - x: `[…, C]`.
    ///   - scale: `[C]`.
    ///   - shift: `[C]`, or nil for none.
    ///   - epsilon: What is added to the variance.
    public func layerNormalization(
        _ x: Value,
        scale: Value,
        shift: Value?,
        epsilon: Float = 1e-5
    ) throws(GraphError) -> Value {
        let width = x.shape.dimensions.last.map { [$0] }
        guard scale.shape.dimensions == width, shift == nil || shift?.shape.dimensions == width else {
            throw begin("LayerNormalization").error(
                .shape,
                "expected a scale and shift \(width ?? []), found \(scale.shape) and \(shift?.shape ?? [])"
            )
        }
        let normal = try multiply(meanVarianceNormalization(x, axes: [-1], epsilon: epsilon), scale)
        guard let shift else { return normal }
        return try add(normal, shift)
    }

    /// Root-mean-square normalisation along one axis: `x / sqrt(mean(x²) + epsilon)`
    /// (Zhang and Sennrich, arXiv:1910.07467, equation 4, without the gain).
    ///
    /// Along the channel axis of a picture it works cell by cell, hence the same in a tile as in the whole canvas.
    public func rootMeanSquareNormalization(
        _ x: Value,
        axis: Int,
        epsilon: Float = 1e-6
    ) throws(GraphError) -> Value {
        let meanSquare = try reduceMean(multiply(x, x), axes: [axis], keepDimensions: true)
        return try divide(x, sqrt(add(meanSquare, epsilon)))
    }

    /// The mean over axes.
    ///
    /// - Parameters:
    ///   - x: The numbers.
    ///   - axes: Which axes vanish; negative ones count from the end.
    ///   - keepDimensions: Whether they stay as axes of extent 1.
    public func reduceMean(_ x: Value, axes: [Int], keepDimensions: Bool = true) throws(GraphError) -> Value {
        let layer = begin("ReduceMean")
        try layer.requireFloat(x)
        let axes = try layer.axes(axes, rank: x.shape.rank)
        let dimensions = x.shape.dimensions.enumerated().compactMap { axis, extent in
            axes.contains(axis) ? (keepDimensions ? 1 : nil) : extent
        }
        return emit(
            layer,
            "ReduceMean",
            attributes: [("keep_dims", keepDimensions ? "true" : "false")],
            inputs: [x, try argument(layer, "axes", axes)],
            shape: try layer.shape(dimensions)
        )
    }
}

extension LayerContext {
    /// Turns axes that may count from the end into distinct ascending indices.
    func axes(_ axes: [Int], rank: Int) throws(GraphError) -> [Int] {
        var indices: [Int] = []
        for axis in axes { indices.append(try self.axis(axis, rank: rank)) }
        guard !indices.isEmpty, Set(indices).count == indices.count else {
            throw error(.argument, "expected one or more different axes, found \(axes)")
        }
        return indices.sorted()
    }
}
