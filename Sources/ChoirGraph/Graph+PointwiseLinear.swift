import ChoirTensor

extension Graph {
    /// The same graph with its large linear layers as convolutions of 1 x 1 cells; the same graph where none is.
    ///
    /// For an engine that has a slower kernel for linear layers with f16 and bf16 weights than for such convolutions.
    /// Results differ by the order of sums, about 1e-6 of the largest value.
    package func withPointwiseLinearLayers() throws(GraphError) -> Graph {
        var replacements: [Int: Replacement] = [:]
        let users = usersOfLayers
        for (index, layer) in layers.enumerated() {
            guard let weight = largeLinearWeight(layer) else { continue }
            // A bias is added where it is cheapest: to the convolution's own result.
            let addition = users[index].count == 1 ? users[index][0] : index
            let bias = bias(addition, to: index)
            let replaced = bias == nil ? index : addition
            // A result keeps the layer that its name is on.
            guard layers[replaced].outputs[0].names.isEmpty else { continue }
            replacements[replaced] = Replacement(inputs: [layer.inputs[0]]) { builder, inputs throws(GraphError) in
                try builder.pointwiseLinear(inputs[0], weight: weight, bias: bias)
            }
        }
        return try replacing(replacements)
    }

    /// The weight `[O, I]` of a layer that is linear in the last axis of `[N, M, I]`, and faster as a convolution.
    ///
    /// Measured in f32 with AVX2, the time of whole transformer blocks by that with linear layers: 1280 channels 0.82,
    /// 640 channels 0.82, 320 channels 0.99. Inputs whose rows begin a multiple of 4096 bytes apart are the exception: a
    /// convolution's rows then fall on the same lines of the cache, and it takes twice as long.
    private func largeLinearWeight(_ layer: Layer) -> StoredWeight? {
        guard layer.type == "MatMul", layer.attribute("transpose_a") == "false",
            layer.attribute("transpose_b") == "true", layer.outputs[0].names.isEmpty, layer.inputs[0].shape.rank == 3,
            let weight = storedWeight(layer.inputs[1]), weight.shape.rank == 2, weight.elementType != .f32,
            layer.inputs[0].shape[1] >= 256, weight.shape[1] >= 512, weight.shape[1] % 1024 != 0
        else { return nil }
        return weight
    }

    /// The bias that a layer adds to the last axis of what a linear one gives.
    private func bias(_ addition: Int, to linear: Int) -> StoredWeight? {
        let layer = layers[addition]
        guard layer.type == "Add", let other = layer.inputs.first(where: { $0.layer != linear }),
            let bias = storedWeight(other), bias.shape.dimensions == [layer.outputs[0].shape.dimensions.last]
        else { return nil }
        return bias
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
    /// A linear map of the last axis as a convolution of 1 x 1 cells, with the rows of `x` as rows of a picture.
    ///
    /// In memory channels stay last, so that an engine whose kernel has them last turns nothing round.
    ///
    /// - Parameters:
    ///   - x: `[N, M, I]`.
    ///   - weight: Where a weight `[O, I]` lies.
    ///   - bias: Where a bias `[O]` lies.
    /// - Returns: `[N, M, O]`.
    fileprivate func pointwiseLinear(
        _ x: Value, weight: Graph.StoredWeight, bias: Graph.StoredWeight?
    ) throws(GraphError) -> Value {
        let (count, rows) = (x.shape[0], x.shape[1])
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let picture = try transpose(reshape(x, to: [count, rows, 1, inputs]), order: [0, 3, 1, 2])
        let product = try convolution(
            picture, weight: constant("weight", weight, [outputs, inputs, 1, 1]))
        let sum = if let bias { try add(product, constant("bias", bias, [1, outputs, 1, 1])) } else { product }
        return try reshape(transpose(sum, order: [0, 2, 3, 1]), to: [count, rows, outputs])
    }

    private func constant(
        _ role: String, _ stored: Graph.StoredWeight, _ dimensions: [Int]
    ) throws(GraphError) -> Value {
        let layer = begin(role)
        return constant(layer, offset: stored.offset, stored.elementType, try layer.shape(dimensions))
    }
}
