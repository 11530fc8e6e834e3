public import ChoirTensor

extension GraphBuilder {
    /// A constant tensor of f32 numbers, stored inline.
    ///
    /// - Precondition: `elements.count == shape.elementCount`.
    public func constant(_ elements: [Float], shape: Shape) throws(GraphError) -> Value {
        precondition(elements.count == shape.elementCount, "\(elements.count) elements for shape \(shape)")
        return try constant(begin("Const"), bytes: elements.withUnsafeBytes { [UInt8]($0) }, .f32, shape)
    }

    /// One constant f32 number of shape `[]`.
    public func constant(_ number: Float) throws(GraphError) -> Value { try constant([number], shape: []) }

    /// A constant tensor of 64-bit integers, stored inline.
    ///
    /// - Precondition: `elements.count == shape.elementCount`.
    public func constant(integers elements: [Int], shape: Shape) throws(GraphError) -> Value {
        precondition(elements.count == shape.elementCount, "\(elements.count) elements for shape \(shape)")
        return try constant(begin("Const"), bytes: Self.bytes(elements), .i64, shape)
    }

    /// A weight of the model, read where it lies in its file; f16 and bf16 weights are widened to f32 by the engine.
    ///
    /// - Parameters:
    ///   - name: The tensor's name without the names of the scopes around this call; the store's ``WeightNaming`` may
    ///     turn the full name into another one of the file.
    ///   - shape: The shape that the model expects.
    /// - Returns: An f32 value of that shape.
    public func weight(_ name: String, shape: Shape) throws(GraphError) -> Value {
        let fullName = weightName(name)
        let subject = "\(self.name).\(fullName)"
        guard let stored = weights.entry(named: fullName) else {
            throw GraphError(.missingWeight, subject, weights.absence(of: fullName))
        }
        let place = stored.name == fullName ? stored.path : "\(stored.path), as \(stored.name)"
        guard stored.has(shape) else {
            throw GraphError(
                .weightMismatch,
                subject,
                "expected \(shape), file has \(stored.shape)\(stored.isTransposed ? " transposed" : "") (in \(place))"
            )
        }
        let elementType: ElementType
        switch stored.dataType {
        case .float32: elementType = .f32
        case .float16: elementType = .f16
        case .bfloat16: elementType = .bf16
        default:
            throw GraphError(
                .weightMismatch,
                subject,
                "expected F32, F16 or BF16, file has \(stored.dataType.rawValue) (in \(place))"
            )
        }
        let layer = LayerContext(name: fullName, qualifiedName: subject)
        guard stored.isTransposed else { return constant(layer, offset: stored.offset, elementType, shape) }
        // The engine turns it round once, when it compiles.
        return try transpose(constant(layer, offset: stored.offset, elementType, stored.shape), order: [1, 0])
    }

    /// Whether there is a weight of this name in the present scope.
    public func hasWeight(_ name: String) -> Bool { weights.entry(named: weightName(name)) != nil }

    /// An argument that the engine takes as an input: a vector of integers that belongs to `layer`.
    func argument(_ layer: LayerContext, _ role: String, _ integers: [Int]) throws(GraphError) -> Value {
        let context = LayerContext(name: "\(layer.name).\(role)", qualifiedName: "\(layer.qualifiedName).\(role)")
        return try constant(context, bytes: Self.bytes(integers), .i64, Shape([integers.count]))
    }

    /// The same constant under another shape: the same bytes, hence no layer that would copy them.
    ///
    /// Nil when the value is not a constant.
    func reshapedConstant(_ value: Value, _ layer: LayerContext, to shape: Shape) -> Value? {
        guard let (offset, elementType) = place(of: value) else { return nil }
        return constant(layer, offset: offset, elementType, shape)
    }

    /// Some indices of the first axis: of a constant the same bytes, hence no layer that would copy them.
    func rows(_ range: Range<Int>, of value: Value) throws(GraphError) -> Value {
        guard let (offset, elementType) = place(of: value) else { return try slice(value, axis: 0, range: range) }
        let layer = begin("rows")
        guard value.shape.rank > 0, range.lowerBound >= 0, range.upperBound <= value.shape[0], !range.isEmpty else {
            throw layer.error(.argument, "rows \(range) are not within those of \(value.shape)")
        }
        let shape = try layer.shape([range.count] + value.shape.dimensions.dropFirst())
        let first = range.lowerBound * (shape.elementCount / range.count) * elementType.byteCount
        return constant(layer, offset: offset + first, elementType, shape)
    }

    /// Where a constant lies and how its numbers are stored; nil if the value is none.
    private func place(of value: Value) -> (offset: Int, elementType: ElementType)? {
        let layerOfValue = source(of: value)
        let constantLayer = layerOfValue.isDecompression ? source(of: layerOfValue.inputs[0]) : layerOfValue
        guard constantLayer.type == "Const",
            let offset = constantLayer.attributes.first(where: { $0.name == "offset" }).flatMap({ Int($0.value) })
        else { return nil }
        return (offset, constantLayer.outputs[0].elementType)
    }

    private static func bytes(_ integers: [Int]) -> [UInt8] {
        integers.map { Int64($0) }.withUnsafeBytes { [UInt8]($0) }
    }

    private func constant(
        _ layer: LayerContext,
        bytes: [UInt8],
        _ elementType: ElementType,
        _ shape: Shape
    ) throws(GraphError) -> Value {
        constant(layer, offset: try weights.store(bytes), elementType, shape)
    }

    /// A constant that lies at an offset of the store.
    func constant(
        _ layer: LayerContext,
        offset: Int,
        _ elementType: ElementType,
        _ shape: Shape
    ) -> Value {
        let key = ConstantKey(offset: offset, shape: shape, elementType: elementType)
        if let known = constants[key] { return known }
        let stored = emit(
            layer,
            "Const",
            attributes: [
                ("element_type", elementType.rawValue), ("shape", list(shape.dimensions)),
                ("offset", String(offset)), ("size", String(shape.elementCount * elementType.byteCount)),
            ],
            inputs: [],
            shape: shape,
            elementType: elementType
        )
        var value = stored
        if elementType == .f16 || elementType == .bf16 {
            let widened = LayerContext(name: "\(layer.name)/f32", qualifiedName: "\(layer.qualifiedName)/f32")
            value = emit(
                widened,
                "Convert",
                attributes: [("destination_type", "f32")],
                inputs: [stored],
                shape: shape,
                elementType: .f32,
                isDecompression: true
            )
        }
        constants[key] = value
        return value
    }
}
