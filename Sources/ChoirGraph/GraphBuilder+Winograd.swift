import ChoirTensor

extension GraphBuilder {
    /// A convolution with a 3 x 3 kernel and stride 1 by F(4, 3) along rows: half the multiplications.
    ///
    /// Four rows of the result, `Aᵀ [(G w) ⊙ (Bᵀ d)]`, are made of six rows `d` of the input (Lavin and Gray,
    /// arXiv:1509.09308, equation 8 and section 4.3). Along columns it stays a convolution, now with kernels of one
    /// row: the engine's own are as fast for these, and sums of whole rows are cheap in any layout of memory. In both
    /// directions a quarter of the multiplications would be left, but more sums, four times the weights and three times
    /// the error.
    ///
    /// - Parameters:
    ///   - x: `[N, C, H, W]`.
    ///   - weight: Where a weight `[O, C, 3, 3]` lies.
    ///   - padding: Zeros around the picture.
    ///   - largestBand: The most numbers of a band of rows, computed after another.
    /// - Returns: `[N, O, H', W']`, equal to the convolution but for rounding: about 1e-5 of the largest value in f32.
    func winogradConvolution(
        _ x: Value, weight: Graph.StoredWeight, padding: Padding, largestBand: Int
    ) throws(GraphError) -> Value {
        let layer = begin("Winograd")
        try layer.requireRank(4, x, layout: "an input [N, C, H, W]")
        let rows = x.shape[2] + padding.top + padding.bottom - 2
        guard rows > 0, weight.shape.rank == 4, weight.shape[1] == x.shape[1], weight.shape[2] == 3,
            weight.shape[3] == 3
        else {
            throw layer.error(
                .shape, "expected an input [N, C, H, W] and a weight [O, C, 3, 3], found \(x.shape) and \(weight.shape)"
            )
        }
        let kernels = try winogradKernels(weight, layer)
        let numbersPerRow = x.shape[0] * x.shape[3] * max(weight.shape[0], weight.shape[1])
        return try inBands(
            rows: rows, alignment: 4, numbersPerRow: numbersPerRow, largest: largestBand, axis: 2
        ) { band throws(GraphError) in
            let needed = band.lowerBound - padding.top..<band.upperBound + 2 - padding.top
            let present = needed.clamped(to: 0..<x.shape[2])
            let part = present.count == x.shape[2] ? x : try slice(x, axis: 2, range: present)
            return try winogradRows(
                part, kernels, rows: band.count,
                padding: Padding(
                    top: present.lowerBound - needed.lowerBound, left: padding.left,
                    bottom: needed.upperBound - present.upperBound, right: padding.right))
        }
    }

    /// So many rows of the convolution, of the input rows that they need.
    private func winogradRows(
        _ x: Value, _ kernels: [Value], rows: Int, padding: Padding
    ) throws(GraphError) -> Value {
        let blocks = (rows + 3) / 4
        let padded = try pad(
            x, Padding(top: padding.top, left: 0, bottom: padding.bottom + 4 * blocks - rows, right: 0))
        var data: [Value] = []
        for row in 0..<6 {
            data.append(try slice(padded, axis: 2, range: row..<(row + 4 * blocks - 3), step: 4))
        }
        var products: [Value] = []
        for (transformed, kernel) in zip(try winogradInputs(data), kernels) {
            products.append(
                try convolution(
                    transformed, weight: kernel,
                    padding: Padding(top: 0, left: padding.left, bottom: 0, right: padding.right)))
        }
        var parts: [Value] = []
        for part in try winogradOutputs(products) { parts.append(try unsqueeze(part, axis: 3)) }
        let joined = try concat(parts, axis: 3)
        let (count, channels, width) = (joined.shape[0], joined.shape[1], joined.shape[4])
        let output = try reshape(joined, to: [count, channels, 4 * blocks, width])
        return rows == 4 * blocks ? output : try slice(output, axis: 2, range: 0..<rows)
    }

    /// `G w`: six weights `[O, C, 1, 3]`.
    private func winogradKernels(
        _ weight: Graph.StoredWeight, _ layer: LayerContext
    ) throws(GraphError) -> [Value] {
        let (outputs, inputs) = (weight.shape[0], weight.shape[1])
        return try derivedWeights(
            "Winograd", from: weight, count: WinogradWeights.kernelCount, dimensions: [outputs, inputs, 1, 3], layer
        ) { numbers, kernels in
            WinogradWeights.transform(numbers, pairCount: outputs * inputs, into: kernels)
        }
    }

    /// `Bᵀ d`, with common sums computed once.
    private func winogradInputs(_ d: [Value]) throws(GraphError) -> [Value] {
        let even = try subtract(d[4], multiply(d[2], 4))
        let odd = try subtract(d[3], multiply(d[1], 4))
        let difference = try subtract(d[4], d[2])
        let doubled = try multiply(subtract(d[3], d[1]), 2)
        return [
            try add(subtract(multiply(d[0], 4), multiply(d[2], 5)), d[4]),
            try add(even, odd), try subtract(even, odd),
            try add(difference, doubled), try subtract(difference, doubled),
            try add(subtract(multiply(d[1], 4), multiply(d[3], 5)), d[5]),
        ]
    }

    /// `Aᵀ m`: the first, second, third and fourth of every four rows.
    private func winogradOutputs(_ m: [Value]) throws(GraphError) -> [Value] {
        let (nearSum, nearDifference) = (try add(m[1], m[2]), try subtract(m[1], m[2]))
        let (farSum, farDifference) = (try add(m[3], m[4]), try subtract(m[3], m[4]))
        return [
            try add(add(m[0], nearSum), farSum),
            try add(nearDifference, multiply(farDifference, 2)),
            try add(nearSum, multiply(farSum, 4)),
            try add(add(nearDifference, multiply(farDifference, 8)), m[5]),
        ]
    }
}
