import ChoirTensor

extension GraphBuilder {
    /// The matrix product of the last two axes; the axes before them are broadcast.
    ///
    /// - Parameters:
    ///   - a: `[…, M, K]`, or `[…, K, M]` when `transposeA`.
    ///   - b: `[…, K, N]`, or `[…, N, K]` when `transposeB`.
    ///   - transposeA: Whether to exchange the last two axes of `a`.
    ///   - transposeB: Whether to exchange the last two axes of `b`.
    /// - Returns: `[…, M, N]`.
    public func matMul(
        _ a: Value,
        _ b: Value,
        transposeA: Bool = false,
        transposeB: Bool = false
    ) throws(GraphError) -> Value {
        let layer = begin("MatMul")
        try layer.requireFloat(a, b)
        let rankA = a.shape.rank
        let rankB = b.shape.rank
        guard rankA >= 2, rankB >= 2 else {
            throw layer.error(.shape, "expected two or more axes, found \(a.shape) and \(b.shape)")
        }
        let (rows, inner) = (a.shape[rankA - (transposeA ? 1 : 2)], a.shape[rankA - (transposeA ? 2 : 1)])
        let (innerB, columns) = (b.shape[rankB - (transposeB ? 1 : 2)], b.shape[rankB - (transposeB ? 2 : 1)])
        guard inner == innerB,
            let batch = layer.broadcastDimensions(a.shape.dimensions.dropLast(2), b.shape.dimensions.dropLast(2))
        else {
            throw layer.error(
                .shape,
                "\(a.shape)\(transposeA ? " transposed" : "") and \(b.shape)\(transposeB ? " transposed" : "") "
                    + "do not fit together"
            )
        }
        return emit(
            layer,
            "MatMul",
            attributes: [
                ("transpose_a", transposeA ? "true" : "false"), ("transpose_b", transposeB ? "true" : "false"),
            ],
            inputs: [a, b],
            shape: try layer.shape(batch + [rows, columns])
        )
    }

    /// A linear map of the last axis, `x Wᵀ + b`.
    ///
    /// - Parameters:
    ///   - x: `[…, I]`.
    ///   - weight: `[O, I]`.
    ///   - bias: `[O]`.
    /// - Returns: `[…, O]`.
    public func linear(_ x: Value, weight: Value, bias: Value? = nil) throws(GraphError) -> Value {
        guard weight.shape.rank == 2 else {
            throw begin("MatMul").error(.shape, "expected a weight [O, I], found \(weight.shape)")
        }
        let rows = x.shape.rank == 1 ? try unsqueeze(x, axis: 0) : x
        let product = try matMul(rows, weight, transposeB: true)
        let output = x.shape.rank == 1 ? try squeeze(product, axis: 0) : product
        guard let bias else { return output }
        guard bias.shape.dimensions == [weight.shape[0]] else {
            throw begin("Add").error(.shape, "expected a bias [\(weight.shape[0])], found \(bias.shape)")
        }
        return try add(output, bias)
    }

    /// `e^x`, divided by its sum along one axis.
    public func softmax(_ x: Value, axis: Int = -1) throws(GraphError) -> Value {
        let layer = begin("Softmax")
        try layer.requireFloat(x)
        let axis = try layer.axis(axis, rank: x.shape.rank)
        return emit(layer, "Softmax", opset: 8, attributes: [("axis", "\(axis)")], inputs: [x], shape: x.shape)
    }

    /// Attention, `softmax(q kᵀ · scale + mask) v` (Vaswani et al., arXiv:1706.03762, equation 1).
    ///
    /// - Parameters:
    ///   - query: `[…, L, E]`; the engine is fastest with `[batch, heads, L, E]`.
    ///   - key: `[…, S, E]`.
    ///   - value: `[…, S, V]`.
    ///   - mask: f32 numbers that are added, or booleans where false hides; broadcast to `[…, L, S]`.
    ///   - scale: `1 / sqrt(E)` if not given.
    ///   - isCausal: Whether query `i` sees only keys up to `i`; excludes a mask.
    /// - Returns: `[…, L, V]`.
    public func scaledDotProductAttention(
        query: Value,
        key: Value,
        value: Value,
        mask: Value? = nil,
        scale: Float? = nil,
        isCausal: Bool = false
    ) throws(GraphError) -> Value {
        let layer = begin("ScaledDotProductAttention")
        try layer.requireFloat(query, key, value)
        let rank = query.shape.rank
        guard rank >= 3, key.shape.rank == rank, value.shape.rank == rank,
            query.shape.dimensions.dropLast(2) == key.shape.dimensions.dropLast(2),
            query.shape.dimensions.dropLast(2) == value.shape.dimensions.dropLast(2),
            query.shape[rank - 1] == key.shape[rank - 1], key.shape[rank - 2] == value.shape[rank - 2]
        else {
            throw layer.error(
                .shape,
                "expected query […, L, E], key […, S, E] and value […, S, V], found \(query.shape), \(key.shape) and "
                    + "\(value.shape)"
            )
        }
        var inputs = [query, key, value]
        if let mask {
            let scores = query.shape.dimensions.dropLast(1) + [key.shape[rank - 2]]
            guard !isCausal else { throw layer.error(.argument, "expected a mask or causal attention, not both") }
            guard mask.elementType == .f32 || mask.elementType == .boolean else {
                throw layer.error(.elementType, "expected a mask of f32 or boolean, found \(mask.elementType.rawValue)")
            }
            guard mask.shape.rank <= rank,
                layer.broadcastDimensions(mask.shape.dimensions[...], scores[...]) == Array(scores)
            else {
                throw layer.error(.shape, "expected a mask that fits \(Array(scores)), found \(mask.shape)")
            }
            // The engine refuses a mask of one axis.
            inputs.append(mask.shape.rank == 1 ? try unsqueeze(mask, axis: 0) : mask)
        }
        if let scale {
            // The scale is the fifth input, so the fourth must be there: a mask of zero.
            if mask == nil { inputs.append(try constant(0)) }
            inputs.append(try constant(scale))
        }
        return emit(
            layer,
            "ScaledDotProductAttention",
            opset: 13,
            attributes: [("causal", isCausal ? "true" : "false")],
            inputs: inputs,
            shape: try layer.shape(query.shape.dimensions.dropLast(1) + [value.shape[rank - 1]])
        )
    }
}
