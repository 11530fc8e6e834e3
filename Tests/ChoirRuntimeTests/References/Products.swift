import ChoirGraph
import ChoirTensor
import Foundation

extension LayerCase {
    static let products: [LayerCase] =
        [
            matMul([3, 4], [4, 5], false, false, seed: 4000),
            matMul([2, 3, 4], [4, 5], false, false, seed: 4002),
            matMul([2, 1, 3, 4], [5, 4, 6], false, false, seed: 4004),
            matMul([4, 3], [5, 4], true, true, seed: 4006),
            matMul([2, 7, 3], [2, 7, 5], true, false, seed: 4008),
            linear([2, 5, 8], outputs: 6, bias: true, seed: 4100),
            linear([8], outputs: 3, bias: true, seed: 4110),
            linear([3, 16], outputs: 16, bias: false, seed: 4120),
            softmax([2, 3, 9], axis: -1, seed: 4200),
            softmax([2, 5, 3, 3], axis: 1, seed: 4201),
            attention(batch: [1, 2], 6, 9, 8, 8, seed: 4300),
            attention(batch: [2, 4], 16, 5, 16, 16, scale: 0.5, seed: 4310),
            attention(batch: [1, 2], 7, 7, 8, 8, isCausal: true, seed: 4320),
            attention(batch: [1, 3], 4, 6, 8, 8, mask: [1, 1, 4, 6], seed: 4330),
            attention(batch: [1, 3], 4, 6, 8, 8, mask: [6], seed: 4340),
            attention(batch: [2, 2], 5, 5, 4, 4, scale: 0.3, mask: [2, 2, 5, 5], seed: 4350),
            attention(batch: [3], 5, 4, 8, 6, seed: 4360),
        ]

    private static func matMul(
        _ a: Shape,
        _ b: Shape,
        _ transposeA: Bool,
        _ transposeB: Bool,
        seed: UInt64
    ) -> LayerCase {
        LayerCase(
            "Matrix product\(transposeA ? ", first transposed" : "")\(transposeB ? ", second transposed" : "")",
            [.random(a, seed: seed), .random(b, seed: seed + 1)],
            build: { (g, x) throws(GraphError) in
                try g.matMul(x[0], x[1], transposeA: transposeA, transposeB: transposeB)
            },
            reference: { x in
                product(transposeA ? transposed(x[0]) : x[0], transposeB ? transposed(x[1]) : x[1])
            }
        )
    }

    private static func linear(_ shape: Shape, outputs: Int, bias hasBias: Bool, seed: UInt64) -> LayerCase {
        let weight = Tensor.random([outputs, shape[shape.rank - 1]], seed: seed)
        let bias = Tensor.random([outputs], seed: seed + 1)
        return LayerCase(
            "Linear map\(hasBias ? "" : " without bias")",
            [.random(shape, seed: seed + 2)],
            build: { (g, x) throws(GraphError) in
                let biasValue = hasBias ? try g.constant(bias) : nil
                return try g.linear(x[0], weight: g.constant(weight), bias: biasValue)
            },
            reference: { x in
                let output = Shape(shape.dimensions.dropLast() + [outputs])
                return Tensor(shape: output) { index in
                    let row = index[index.count - 1]
                    return (0..<weight.shape[1]).reduce(hasBias ? bias.at([row]) : 0) { sum, column in
                        sum + x[0].at(index.dropLast() + [column]) * weight.at([row, column])
                    }
                }
            }
        )
    }

    private static func softmax(_ shape: Shape, axis: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Softmax along axis \(axis)",
            [.random(shape, seed: seed, in: -4...4)],
            build: { (g, x) throws(GraphError) in try g.softmax(x[0], axis: axis) },
            reference: { softened($0[0], axis: axis < 0 ? axis + shape.rank : axis) }
        )
    }

    private static func attention(
        batch: [Int],
        _ queries: Int,
        _ keys: Int,
        _ width: Int,
        _ valueWidth: Int,
        scale: Float? = nil,
        mask: Shape? = nil,
        isCausal: Bool = false,
        seed: UInt64
    ) -> LayerCase {
        var inputs: [Tensor] = [
            .random(Shape(batch + [queries, width]), seed: seed, in: -2...2),
            .random(Shape(batch + [keys, width]), seed: seed + 1, in: -2...2),
            .random(Shape(batch + [keys, valueWidth]), seed: seed + 2),
        ]
        if let mask { inputs.append(.random(mask, seed: seed + 3, in: -3...3)) }
        let description = [
            mask.map { "mask \($0)" }, scale.map { "scale \($0)" }, isCausal ? "causal" : nil,
        ].compactMap { $0 }
        return LayerCase(
            (["Attention"] + description).joined(separator: ", "),
            inputs,
            build: { (g, x) throws(GraphError) in
                try g.scaledDotProductAttention(
                    query: x[0],
                    key: x[1],
                    value: x[2],
                    mask: x.count > 3 ? x[3] : nil,
                    scale: scale,
                    isCausal: isCausal
                )
            },
            reference: { x in
                let factor = scale.map(Double.init) ?? 1 / Double(width).squareRoot()
                var scores = product(x[0], transposed(x[1]))
                scores = Tensor(shape: scores.shape) { scores.at($0) * factor }
                if x.count > 3 { scores = combine(scores, x[3]) { $0 + $1 } }
                if isCausal {
                    scores = Tensor(shape: scores.shape) { index in
                        index[index.count - 1] > index[index.count - 2] ? -1e30 : scores.at(index)
                    }
                }
                return product(softened(scores, axis: scores.shape.rank - 1), x[2])
            }
        )
    }
}

private func softened(_ x: Tensor, axis: Int) -> Tensor {
    let largest = x.elements.filter { $0 > -1e29 }.max().map(Double.init) ?? 0
    let exponentials = Tensor(shape: x.shape) { exp(x.at($0) - largest) }
    let mean = means(exponentials, axes: [axis])
    return Tensor(shape: x.shape) { exponentials.at($0) / (mean($0) * Double(x.shape[axis])) }
}

private func transposed(_ x: Tensor) -> Tensor {
    var dimensions = x.shape.dimensions
    dimensions.swapAt(dimensions.count - 1, dimensions.count - 2)
    return Tensor(shape: Shape(dimensions)) { index in
        var source = index
        source.swapAt(index.count - 1, index.count - 2)
        return x.at(source)
    }
}

/// The matrix product of the last two axes, with the axes before them repeated as needed.
private func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    let rank = max(a.shape.rank, b.shape.rank)
    func padded(_ tensor: Tensor) -> Tensor {
        tensor.reshaped(to: Shape(Array(repeating: 1, count: rank - tensor.shape.rank) + tensor.shape.dimensions))
    }
    let (a, b) = (padded(a), padded(b))
    let batch = (0..<(rank - 2)).map { max(a.shape[$0], b.shape[$0]) }
    let inner = a.shape[rank - 1]
    return Tensor(shape: Shape(batch + [a.shape[rank - 2], b.shape[rank - 1]])) { index in
        func prefix(_ tensor: Tensor) -> [Int] { (0..<(rank - 2)).map { tensor.shape[$0] == 1 ? 0 : index[$0] } }
        return (0..<inner).reduce(0) { sum, k in
            sum + a.at(prefix(a) + [index[rank - 2], k]) * b.at(prefix(b) + [k, index[rank - 1]])
        }
    }
}
