public import ChoirTensor

extension GraphBuilder {
    /// The same elements in the same order under another shape.
    ///
    /// - Parameters:
    ///   - x: The elements.
    ///   - dimensions: The new extents; one of them may be -1 and takes what is left.
    public func reshape(_ x: Value, to dimensions: [Int]) throws(GraphError) -> Value {
        let layer = begin("Reshape")
        let shape = try layer.completed(dimensions, elementCount: x.shape.elementCount)
        guard shape.elementCount == x.shape.elementCount else {
            throw layer.error(
                .shape,
                "\(x.shape) has \(x.shape.elementCount) elements, \(shape) would have \(shape.elementCount)"
            )
        }
        if shape == x.shape { return x }
        if let constant = reshapedConstant(x, layer, to: shape) { return constant }
        return emit(
            layer,
            "Reshape",
            attributes: [("special_zero", "false")],
            inputs: [x, try argument(layer, "shape", shape.dimensions)],
            shape: shape,
            elementType: x.elementType
        )
    }

    /// Removes an axis of extent 1.
    public func squeeze(_ x: Value, axis: Int) throws(GraphError) -> Value {
        let layer = begin("Squeeze")
        let axis = try layer.axis(axis, rank: x.shape.rank)
        guard x.shape[axis] == 1 else {
            throw layer.error(.shape, "axis \(axis) of \(x.shape) has extent \(x.shape[axis]), expected 1")
        }
        var dimensions = x.shape.dimensions
        dimensions.remove(at: axis)
        return try reshape(x, to: dimensions)
    }

    /// Inserts an axis of extent 1 so that it has the index `axis` in the result.
    public func unsqueeze(_ x: Value, axis: Int) throws(GraphError) -> Value {
        let layer = begin("Unsqueeze")
        var dimensions = x.shape.dimensions
        dimensions.insert(1, at: try layer.axis(axis, rank: x.shape.rank + 1))
        return try reshape(x, to: dimensions)
    }

    /// Puts the axes into another order: axis `i` of the result is axis `order[i]` of `x`.
    public func transpose(_ x: Value, order: [Int]) throws(GraphError) -> Value {
        let layer = begin("Transpose")
        guard order.sorted() == Array(0..<x.shape.rank) else {
            throw layer.error(.argument, "expected each of \(x.shape.rank) axes once, found \(order)")
        }
        return emit(
            layer,
            "Transpose",
            inputs: [x, try argument(layer, "order", order)],
            shape: try layer.shape(order.map { x.shape[$0] }),
            elementType: x.elementType
        )
    }

    /// Joins values along one axis.
    public func concat(_ values: [Value], axis: Int) throws(GraphError) -> Value {
        let layer = begin("Concat")
        guard let first = values.first else { throw layer.error(.argument, "expected one or more values, found none") }
        let axis = try layer.axis(axis, rank: first.shape.rank)
        var dimensions = first.shape.dimensions
        for value in values.dropFirst() {
            var expected = dimensions
            guard value.elementType == first.elementType else {
                throw layer.error(
                    .elementType,
                    "expected \(first.elementType.rawValue) as in the first value, found \(value.elementType.rawValue)"
                )
            }
            if value.shape.rank == expected.count { expected[axis] = value.shape[axis] }
            guard value.shape.dimensions == expected else {
                throw layer.error(
                    .shape,
                    "\(value.shape) does not fit \(first.shape) in every axis but axis \(axis)"
                )
            }
            dimensions[axis] += value.shape[axis]
        }
        return emit(
            layer,
            "Concat",
            attributes: [("axis", "\(axis)")],
            inputs: values,
            shape: try layer.shape(dimensions),
            elementType: first.elementType
        )
    }

    /// The elements of a range along one axis.
    ///
    /// - Parameters:
    ///   - x: The elements.
    ///   - axis: The axis; negative ones count from the end.
    ///   - range: Which indices to keep; within the extent and not empty.
    ///   - step: The distance from one kept index to the next.
    public func slice(_ x: Value, axis: Int, range: Range<Int>, step: Int = 1) throws(GraphError) -> Value {
        let layer = begin("Slice")
        let axis = try layer.axis(axis, rank: x.shape.rank)
        guard step > 0, !range.isEmpty, range.lowerBound >= 0, range.upperBound <= x.shape[axis] else {
            throw layer.error(
                .argument,
                "range \(range) with step \(step) is not within the \(x.shape[axis]) indices of axis \(axis)"
            )
        }
        var dimensions = x.shape.dimensions
        dimensions[axis] = (range.count + step - 1) / step
        return emit(
            layer,
            "Slice",
            opset: 8,
            inputs: [
                x, try argument(layer, "start", [range.lowerBound]), try argument(layer, "stop", [range.upperBound]),
                try argument(layer, "step", [step]), try argument(layer, "axes", [axis]),
            ],
            shape: try layer.shape(dimensions),
            elementType: x.elementType
        )
    }

    /// Cuts a value along one axis into parts of the given lengths.
    public func variadicSplit(_ x: Value, axis: Int, lengths: [Int]) throws(GraphError) -> [Value] {
        let layer = begin("VariadicSplit")
        let axis = try layer.axis(axis, rank: x.shape.rank)
        guard lengths.allSatisfy({ $0 > 0 && $0 <= x.shape[axis] }), lengths.reduce(0, +) == x.shape[axis] else {
            throw layer.error(
                .argument,
                "expected positive lengths with the sum \(x.shape[axis]), found \(lengths)"
            )
        }
        var outputs: [Graph.Output] = []
        for length in lengths {
            var dimensions = x.shape.dimensions
            dimensions[axis] = length
            outputs.append(Graph.Output(shape: try layer.shape(dimensions), elementType: x.elementType))
        }
        // The axis is a scalar here, unlike the arguments of other layers.
        let axisValue = try constant(integers: [axis], shape: [])
        return emit(
            layer,
            "VariadicSplit",
            inputs: [x, axisValue, try argument(layer, "lengths", lengths)],
            outputs: outputs
        )
    }

    /// The slices of `x` along one axis that `indices` name.
    ///
    /// - Parameters:
    ///   - x: The table.
    ///   - indices: i32 or i64 of any shape; each must be within the extent, which cannot be checked here.
    ///   - axis: The axis of the table.
    /// - Returns: The shape of `x` with the extent of `axis` replaced by the shape of `indices`.
    public func gather(_ x: Value, indices: Value, axis: Int = 0) throws(GraphError) -> Value {
        let layer = begin("Gather")
        let axis = try layer.axis(axis, rank: x.shape.rank)
        guard indices.elementType.isInteger else {
            throw layer.error(.elementType, "expected indices of i32 or i64, found \(indices.elementType.rawValue)")
        }
        let dimensions = x.shape.dimensions
        let shape = try layer.shape(
            dimensions[..<axis] + indices.shape.dimensions + dimensions[(axis + 1)...]
        )
        return emit(
            layer,
            "Gather",
            opset: 8,
            attributes: [("batch_dims", "0")],
            inputs: [x, indices, try constant(integers: [axis], shape: [])],
            shape: shape,
            elementType: x.elementType
        )
    }

    /// Repeats a value along every axis as often as `repeats` says.
    public func tile(_ x: Value, repeats: [Int]) throws(GraphError) -> Value {
        let layer = begin("Tile")
        guard repeats.count == x.shape.rank, repeats.allSatisfy({ $0 > 0 }) else {
            throw layer.error(.argument, "expected \(x.shape.rank) positive counts, found \(repeats)")
        }
        var dimensions: [Int] = []
        for (extent, count) in zip(x.shape.dimensions, repeats) {
            let (product, overflow) = extent.multipliedReportingOverflow(by: count)
            guard !overflow else { throw layer.error(.shape, "\(x.shape) repeated \(repeats) times is not possible") }
            dimensions.append(product)
        }
        return emit(
            layer,
            "Tile",
            inputs: [x, try argument(layer, "repeats", repeats)],
            shape: try layer.shape(dimensions),
            elementType: x.elementType
        )
    }

    /// Repeats axes of extent 1, and missing ones, until the value has the given shape (NumPy's rule).
    public func broadcast(_ x: Value, to shape: Shape) throws(GraphError) -> Value {
        let layer = begin("Broadcast")
        guard layer.broadcastDimensions(x.shape.dimensions[...], shape.dimensions[...]) == shape.dimensions else {
            throw layer.error(.shape, "\(x.shape) cannot be repeated to \(shape)")
        }
        return emit(
            layer,
            "Broadcast",
            opset: 3,
            attributes: [("mode", "numpy")],
            inputs: [x, try argument(layer, "shape", shape.dimensions)],
            shape: shape,
            elementType: x.elementType
        )
    }
}

extension LayerContext {
    /// The shape with -1 replaced by what is left of the elements.
    fileprivate func completed(_ dimensions: [Int], elementCount: Int) throws(GraphError) -> Shape {
        guard let open = dimensions.firstIndex(of: -1) else { return try shape(dimensions) }
        var completed = dimensions
        completed[open] = 1
        let rest = try shape(completed).elementCount
        guard rest > 0, elementCount % rest == 0 else {
            throw error(.shape, "\(elementCount) elements cannot take the shape \(dimensions)")
        }
        completed[open] = elementCount / rest
        return try shape(completed)
    }
}
