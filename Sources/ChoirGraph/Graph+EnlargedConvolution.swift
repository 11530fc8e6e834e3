import ChoirTensor

extension Graph {
    /// The same graph with 3 x 3 convolutions of enlarged pictures computed from the pictures before: a quarter of the
    /// multiplications; the same graph where there is none.
    ///
    /// Of pictures whose cells are doubled to both sides, as the upsamplers of UNets and decoders do it. Results differ
    /// by rounding, about 3e-6 of the largest value.
    ///
    /// - Parameter largestBand: The most numbers that are computed at a time; large pictures are in bands of rows.
    package func withEnlargedConvolutions(largestBand: Int = GraphBuilder.largestBand) throws(GraphError) -> Graph {
        var replacements: [Int: Replacement] = [:]
        for (index, layer) in layers.enumerated() {
            guard let (picture, weight) = enlargedConvolution(layer) else { continue }
            replacements[index] = Replacement(inputs: [picture]) { builder, inputs throws(GraphError) in
                try builder.enlargedConvolution(inputs[0], weight: weight, largestBand: largestBand)
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

    /// Whether fewer multiplications save more than the sums cost.
    ///
    /// Measured in f32 with AVX2, time by that of Winograd's algorithm: 128 to 128 channels 0.57, 256 to 256 0.55 to 0.59,
    /// 512 to 512 0.54. Pictures of fewer cells were not measured.
    private static func isFasterEnlarged(weight: Shape, enlarged: Shape) -> Bool {
        min(weight[0], weight[1]) >= 128 && enlarged[2] * enlarged[3] >= 256
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
    ///   - largestBand: The most numbers of a band of rows, computed after another.
    /// - Returns: `[N, O, 2 · H, 2 · W]`.
    func enlargedConvolution(_ x: Value, weight: Graph.StoredWeight, largestBand: Int) throws(GraphError) -> Value {
        let layer = begin("Enlarged")
        // Transposed before it is reshaped: the other way round the engine would transpose anew for each product.
        let cells = try transpose(x, order: [0, 2, 3, 1])
        let kernels = try enlargedKernels(weight, layer)
        let (height, width) = (x.shape[2], x.shape[3])
        let numbersPerRow = 4 * x.shape[0] * width * max(weight.shape[0], weight.shape[1])
        let picture = try inBands(
            rows: height, numbersPerRow: numbersPerRow, largest: largestBand, axis: 1
        ) { band throws(GraphError) in
            guard band.count < height else { return try enlargedRows(cells, kernels) }
            // With the rows beside it, whose own results lack what is beyond them and are cut off.
            let seen = (band.lowerBound - 1..<band.upperBound + 1).clamped(to: 0..<height)
            let rows = try enlargedRows(slice(cells, axis: 1, range: seen), kernels)
            let first = 2 * (band.lowerBound - seen.lowerBound)
            return try slice(rows, axis: 1, range: first..<first + 2 * band.count)
        }
        return try transpose(picture, order: [0, 3, 1, 2])
    }

    /// The convolution of a picture `[N, H, W, C]` of doubled cells: `[N, 2 · H, 2 · W, O]`.
    private func enlargedRows(_ x: Value, _ kernels: [Value]) throws(GraphError) -> Value {
        let (count, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], kernels[0].shape[0])
        let cells = try reshape(x, to: [count, height * width, x.shape[3]])
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
        return try reshape(concat(rows, axis: 2), to: [count, 2 * height, 2 * width, channels])
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
