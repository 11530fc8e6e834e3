import ChoirTensor

// Sums, products and functions of single elements. Two operands are broadcast as NumPy does it: shapes are aligned at
// the last axis, and an extent of one, or a missing axis, is repeated.
extension GraphBuilder {
    /// `a + b`.
    public func add(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Add", a, b) }

    /// `a + b` with a number.
    public func add(_ a: Value, _ b: Float) throws(GraphError) -> Value { try add(a, constant(b)) }

    /// `a − b`.
    public func subtract(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Subtract", a, b) }

    /// `a · b`, element by element.
    public func multiply(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Multiply", a, b) }

    /// `a · b` with a number.
    public func multiply(_ a: Value, _ b: Float) throws(GraphError) -> Value { try multiply(a, constant(b)) }

    /// `a / b`, element by element.
    public func divide(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Divide", a, b) }

    /// The larger of two elements.
    public func maximum(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Maximum", a, b) }

    /// The smaller of two elements.
    public func minimum(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Minimum", a, b) }

    /// `a` to the power `b`.
    public func power(_ a: Value, _ b: Value) throws(GraphError) -> Value { try binary("Power", a, b) }

    /// `a` to the power of a number.
    public func power(_ a: Value, _ b: Float) throws(GraphError) -> Value { try power(a, constant(b)) }

    /// The square root.
    public func sqrt(_ x: Value) throws(GraphError) -> Value { try unary("Sqrt", x) }

    /// `e` to the power `x`.
    public func exp(_ x: Value) throws(GraphError) -> Value { try unary("Exp", x) }

    /// The sine of an angle in radians.
    public func sin(_ x: Value) throws(GraphError) -> Value { try unary("Sin", x) }

    /// The cosine of an angle in radians.
    public func cos(_ x: Value) throws(GraphError) -> Value { try unary("Cos", x) }

    /// The hyperbolic tangent.
    public func tanh(_ x: Value) throws(GraphError) -> Value { try unary("Tanh", x) }

    /// `max(x, 0)`.
    public func relu(_ x: Value) throws(GraphError) -> Value { try unary("ReLU", x) }

    /// `1 / (1 + e^−x)`.
    public func sigmoid(_ x: Value) throws(GraphError) -> Value { try unary("Sigmoid", x) }

    /// `x · sigmoid(beta · x)`: SiLU (Swish) for `beta` 1, the "quick GELU" of CLIP for 1.702.
    public func silu(_ x: Value, beta: Float = 1) throws(GraphError) -> Value {
        let layer = begin("Swish")
        try layer.requireFloat(x)
        // One input means beta = 1 and lets the engine fuse the layer with the convolution before it.
        let inputs = beta == 1 ? [x] : [x, try constant(beta)]
        return emit(layer, "Swish", opset: 4, inputs: inputs, shape: x.shape)
    }

    /// How the Gaussian error linear unit is computed.
    public enum GELUForm: String, Sendable {
        /// With the error function.
        case exact = "ERF"
        /// With the hyperbolic tangent, as the first transformers did.
        case tanh = "TANH"
    }

    /// The Gaussian error linear unit, `x · Φ(x)` (Hendrycks and Gimpel, arXiv:1606.08415, section 2).
    public func gelu(_ x: Value, form: GELUForm = .exact) throws(GraphError) -> Value {
        let layer = begin("Gelu")
        try layer.requireFloat(x)
        return emit(
            layer,
            "Gelu",
            opset: 7,
            attributes: [("approximation_mode", form.rawValue)],
            inputs: [x],
            shape: x.shape
        )
    }

    /// `x · GELU(gate)`, the product of GEGLU (Shazeer, arXiv:2002.05202, equation 5).
    ///
    /// GELU is written out, `gate · (1 + erf(gate / √2)) / 2`: as a layer the engine would merge it into the linear layer
    /// that gives the gate, which is slower then by half.
    public func geglu(_ x: Value, gate: Value) throws(GraphError) -> Value {
        let cumulative = try add(unary("Erf", multiply(gate, Float(0.5.squareRoot()))), 1)
        return try multiply(multiply(multiply(x, gate), cumulative), 0.5)
    }

    /// Limits every element to a range.
    public func clamp(_ x: Value, to range: ClosedRange<Float>) throws(GraphError) -> Value {
        let layer = begin("Clamp")
        try layer.requireFloat(x)
        guard range.lowerBound.isFinite, range.upperBound.isFinite else {
            throw layer.error(.argument, "expected finite bounds, found \(range)")
        }
        return emit(
            layer,
            "Clamp",
            attributes: [("min", "\(range.lowerBound)"), ("max", "\(range.upperBound)")],
            inputs: [x],
            shape: x.shape
        )
    }

    /// The same numbers in another element type.
    public func convert(_ x: Value, to elementType: ElementType) throws(GraphError) -> Value {
        let layer = begin("Convert")
        guard elementType != .f16, elementType != .bf16 else {
            throw layer.error(.elementType, "\(elementType.rawValue) is for stored weights only")
        }
        return emit(
            layer,
            "Convert",
            attributes: [("destination_type", elementType.rawValue)],
            inputs: [x],
            shape: x.shape,
            elementType: elementType
        )
    }

    private func unary(_ type: String, _ x: Value) throws(GraphError) -> Value {
        let layer = begin(type)
        try layer.requireFloat(x)
        return emit(layer, type, inputs: [x], shape: x.shape)
    }

    private func binary(_ type: String, _ a: Value, _ b: Value) throws(GraphError) -> Value {
        let layer = begin(type)
        guard a.elementType == b.elementType, a.elementType == .f32 || a.elementType.isInteger else {
            throw layer.error(
                .elementType,
                "expected two operands of one type, f32 or integer, found \(a.elementType.rawValue) and "
                    + b.elementType.rawValue
            )
        }
        let shape = try layer.broadcast(a.shape, b.shape)
        return emit(
            layer,
            type,
            attributes: [("auto_broadcast", "numpy")],
            inputs: [a, b],
            shape: shape,
            elementType: a.elementType
        )
    }
}

extension LayerContext {
    /// The shape of two operands after NumPy broadcasting.
    func broadcast(_ a: Shape, _ b: Shape) throws(GraphError) -> Shape {
        guard let dimensions = broadcastDimensions(a.dimensions[...], b.dimensions[...]) else {
            throw error(.shape, "shapes \(a) and \(b) do not fit together")
        }
        return try shape(dimensions)
    }

    /// The extents after NumPy broadcasting, or nil when they do not fit together.
    func broadcastDimensions(_ a: ArraySlice<Int>, _ b: ArraySlice<Int>) -> [Int]? {
        let rank = max(a.count, b.count)
        var dimensions: [Int] = []
        for axis in 0..<rank {
            let indexA = axis - (rank - a.count)
            let indexB = axis - (rank - b.count)
            let extentA = indexA < 0 ? 1 : a[a.startIndex + indexA]
            let extentB = indexB < 0 ? 1 : b[b.startIndex + indexB]
            guard extentA == extentB || extentA == 1 || extentB == 1 else { return nil }
            dimensions.append(extentA == 1 ? extentB : extentA)
        }
        return dimensions
    }
}
