import ChoirTensor

extension Graph {
    /// The same graph with the 16-bit weights of its large linear layers in f32; the same graph where none is.
    ///
    /// For an engine that has a slower kernel for linear layers with f16 and bf16 weights than with f32, and has its own
    /// copy of them in f32 in either case. Results differ by the order of sums, about 1e-6 of the largest value.
    package func withWideLinearLayers() throws(GraphError) -> Graph {
        var replacements: [Int: Replacement] = [:]
        let users = usersOfLayers
        for (index, layer) in layers.enumerated() {
            guard let weight = largeLinearWeight(layer) else { continue }
            // The faster kernel adds a bias, and that is all; a factor would make the engine choose the other one.
            let multiplication = users[index].count == 1 ? users[index][0] : index
            let factor = factor(of: multiplication)
            replacements[factor == nil ? index : multiplication] = Replacement(inputs: [layer.inputs[0]]) {
                builder, inputs throws(GraphError) in
                try builder.wideLinear(inputs[0], weight: weight, factor: factor ?? 1)
            }
        }
        return try replacing(replacements)
    }

    /// The weight `[O, I]` of a layer that is linear in the last axis of `[N, M, I]`, and faster in f32.
    ///
    /// Measured with AVX2: 155 to 162 GFLOPS for the layers of SDXL, of 110 to 130 with weights of 16 bits and 195 that a
    /// loop of multiply-adds reaches.
    private func largeLinearWeight(_ layer: Layer) -> StoredWeight? {
        // A result keeps the layer that its name is on.
        guard layer.type == "MatMul", layer.attribute("transpose_a") == "false",
            layer.attribute("transpose_b") == "true", layer.outputs[0].names.isEmpty, layer.inputs[0].shape.rank == 3,
            let weight = storedWeight(layer.inputs[1]), weight.shape.rank == 2, weight.elementType != .f32,
            layer.inputs[0].shape[1] >= 256, weight.shape[1] >= 256
        else { return nil }
        return weight
    }

    /// The number that a layer multiplies by; nil if it does something else or is a result.
    private func factor(of index: Int) -> Float? {
        let layer = layers[index]
        guard layer.type == "Multiply", layer.outputs[0].names.isEmpty else { return nil }
        for input in layer.inputs {
            guard let stored = storedWeight(input), stored.shape.rank == 0, stored.elementType == .f32 else { continue }
            return weights.bytes.loadUnaligned(fromByteOffset: stored.offset, as: Float.self)
        }
        return nil
    }

    /// The layers that use what each gives.
    private var usersOfLayers: [[Int]] {
        var users = [[Int]](repeating: [], count: layers.count)
        for (index, layer) in layers.enumerated() {
            for input in layer.inputs { users[input.layer].append(index) }
        }
        return users
    }
}

extension GraphBuilder {
    /// A linear map of the last axis of `x` and a factor, with a weight `[O, I]` that is stored in 16 bits and read in 32.
    fileprivate func wideLinear(
        _ x: Value, weight: Graph.StoredWeight, factor: Float
    ) throws(GraphError) -> Value {
        let count = weight.shape.elementCount
        let role = factor == 1 ? "f32" : "f32 times \(factor)"
        let offset = weights.derive(role, from: weight.offset, byteCount: 4 * count) { base, numbers in
            let numbers = numbers.assumingMemoryBound(to: Float.self)
            weight.copyNumbers(from: base, to: numbers)
            if factor != 1 { for index in 0..<count { numbers[index] *= factor } }
        }
        return try matMul(x, constant(begin("weight"), offset: offset, .f32, weight.shape), transposeB: true)
    }
}
