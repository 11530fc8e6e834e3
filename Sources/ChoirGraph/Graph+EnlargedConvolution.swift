import ChoirTensor

extension Graph {
    /// The same graph with 3 x 3 convolutions of enlarged pictures computed from the pictures before: a quarter of the
    /// multiplications; the same graph where there is none.
    ///
    /// Of pictures whose cells are doubled to both sides, as the upsamplers of UNets and decoders do it. Results differ
    /// by rounding, about 3e-6 of the largest value.
    package func withEnlargedConvolutions() throws(GraphError) -> Graph {
        var replacements: [Int: Replacement] = [:]
        for (index, layer) in layers.enumerated() {
            guard let (picture, weight) = enlargedConvolution(layer) else { continue }
            replacements[index] = Replacement(inputs: [picture]) { builder, inputs throws(GraphError) in
                try builder.enlargedConvolution(inputs[0], weight: weight)
            }
        }
        return try replacing(replacements)
    }

    /// The picture that a layer enlarges and convolves, if that is what it does, and the weight.
    func enlargedConvolution(_ layer: Layer) -> (picture: Value, weight: StoredWeight)? {
        // A result keeps the layer that its name is on.
        guard layer.type == "Convolution", layer.outputs[0].names.isEmpty,
            layer.integers("strides") == [1, 1], layer.integers("dilations") == [1, 1],
            layer.integers("pads_begin") == [1, 1], layer.integers("pads_end") == [1, 1],
            let weight = storedWeight(layer.inputs[1]), weight.shape[2] == 3, weight.shape[3] == 3
        else { return nil }
        let enlargement = layers[layer.inputs[0].layer]
        guard enlargement.type == "Interpolate", enlargement.attribute("mode") == "nearest" else { return nil }
        let (picture, enlarged) = (enlargement.inputs[0], layer.inputs[0].shape)
        guard enlarged[2] == 2 * picture.shape[2], enlarged[3] == 2 * picture.shape[3],
            Self.isFasterEnlarged(weight: weight.shape, enlarged: enlarged)
        else { return nil }
        return (picture, weight)
    }

    /// Whether fewer multiplications save more than the sums cost, and there is room for what is added up, more than twice
    /// the result: the last levels of a decoder's tile have none.
    ///
    /// Measured in f32 with AVX2, time by that of Winograd's algorithm: 128 to 128 channels 0.57, 256 to 256 0.55 to 0.59,
    /// 512 to 512 0.54. Pictures of fewer cells were not measured.
    private static func isFasterEnlarged(weight: Shape, enlarged: Shape) -> Bool {
        let (outputs, inputs, cells) = (weight[0], weight[1], enlarged[2] * enlarged[3])
        return min(outputs, inputs) >= 128 && cells >= 256 && enlarged[0] * cells * max(outputs, inputs) <= 1 << 24
    }
}

extension GraphBuilder {
    /// A 3 x 3 convolution with a border of zeros of `x` with every cell doubled to both sides.
    ///
    /// Along one axis a cell `x` gives two of the result. With the three taps `w` of the kernel these are
    ///
    ///     even[i] = w₀ x[i − 1] + (w₁ + w₂) x[i]
    ///     odd[i] = (w₀ + w₁) x[i] + w₂ x[i + 1],    (w₀ + w₁) x = w₀ x + (w₁ + w₂) x − w₂ x
    ///
    /// so three products do for six. Along both axes there are nine for 36, each a linear map of the cells' channels.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - weight: Where a weight `[O, C, 3, 3]` lies.
    /// - Returns: `[N, O, 2 · H, 2 · W]`.
    func enlargedConvolution(_ x: Value, weight: Graph.StoredWeight) throws(GraphError) -> Value {
        let layer = begin("Enlarged")
        let (count, height, width, channels) = (x.shape[0], x.shape[2], x.shape[3], weight.shape[0])
        // Transposed before it is reshaped: the other way round the engine would transpose anew for each product.
        let cells = try reshape(transpose(x, order: [0, 2, 3, 1]), to: [count, height * width, x.shape[1]])
        let kernels = try enlargedKernels(weight, layer)
        // By the kernel's columns, then as even and odd rows.
        var columns: [[Value]] = []
        for column in 0..<3 {
            var rows: [Value] = []
            for row in 0..<3 {
                let product = try matMul(cells, kernels[3 * row + column], transposeB: true)
                rows.append(try reshape(product, to: [count, 1, height, width * channels]))
            }
            let pair = try enlargedPair(rows)
            columns.append([pair.even, pair.odd])
        }
        var rows: [Value] = []
        for parity in 0..<2 {
            let parts = try columns.map { column throws(GraphError) in
                try reshape(column[parity], to: [count, height, width, channels])
            }
            let pair = try enlargedPair(parts)
            let row = try concat([unsqueeze(pair.even, axis: 3), unsqueeze(pair.odd, axis: 3)], axis: 3)
            rows.append(try reshape(row, to: [count, height, 1, 2 * width * channels]))
        }
        let joined = try reshape(concat(rows, axis: 2), to: [count, 2 * height, 2 * width, channels])
        return try transpose(joined, order: [0, 3, 1, 2])
    }

    /// The even and the odd cells along axis 2, of the products with the first tap, both others, and the last.
    private func enlargedPair(_ products: [Value]) throws(GraphError) -> (even: Value, odd: Value) {
        let (first, others, last) = (products[0], products[1], products[2])
        let extent = first.shape[2]
        let before = try slice(
            pad(first, Padding(top: 1, left: 0, bottom: 0, right: 0)), axis: 2, range: 0..<extent)
        let after = try slice(
            pad(last, Padding(top: 0, left: 0, bottom: 1, right: 0)), axis: 2, range: 1..<(extent + 1))
        return (try add(before, others), try add(subtract(add(first, others), last), after))
    }

    /// Nine matrices `[O, C]`, row by row: the first tap, the sum of the others, the last tap, in both directions.
    private func enlargedKernels(
        _ weight: Graph.StoredWeight, _ layer: LayerContext
    ) throws(GraphError) -> [Value] {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let pairCount = outputs * inputs
        return try derivedWeights(
            "enlarged", from: weight, count: 9, dimensions: [outputs, inputs], layer
        ) { numbers, kernels in
            let sums = [0..<1, 1..<3, 2..<3]
            for pair in 0..<pairCount {
                let taps = numbers + 9 * pair
                for row in 0..<3 {
                    for column in 0..<3 {
                        var sum = 0.0
                        for y in sums[row] { for x in sums[column] { sum += Double(taps[3 * y + x]) } }
                        kernels[(3 * row + column) * pairCount + pair] = Float(sum)
                    }
                }
            }
        }
    }
}
