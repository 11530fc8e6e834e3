import ChoirGraph
import ChoirTensor
import Foundation

extension LayerCase {
    static let elementwise: [LayerCase] = binaries + unaries

    private static let binaries: [LayerCase] = {
        let shapes: [(Shape, Shape)] = [
            ([2, 3, 4, 5], [2, 3, 4, 5]), ([2, 3, 4, 5], [1, 3, 1, 1]), ([4, 1], [3, 1, 5]), ([7], []),
        ]
        let layers:
            [(
                String, @Sendable (GraphBuilder, Value, Value) throws(GraphError) -> Value,
                @Sendable (Double, Double) -> Double
            )] = [
                ("Add", { (g, a, b) throws(GraphError) in try g.add(a, b) }, { $0 + $1 }),
                ("Subtract", { (g, a, b) throws(GraphError) in try g.subtract(a, b) }, { $0 - $1 }),
                ("Multiply", { (g, a, b) throws(GraphError) in try g.multiply(a, b) }, { $0 * $1 }),
                ("Divide", { (g, a, b) throws(GraphError) in try g.divide(a, b) }, { $0 / $1 }),
                ("Maximum", { (g, a, b) throws(GraphError) in try g.maximum(a, b) }, { max($0, $1) }),
                ("Minimum", { (g, a, b) throws(GraphError) in try g.minimum(a, b) }, { min($0, $1) }),
                ("Power", { (g, a, b) throws(GraphError) in try g.power(a, b) }, { pow($0, $1) }),
                (
                    "GEGLU", { (g, a, b) throws(GraphError) in try g.geglu(a, gate: b) },
                    { $0 * $1 * 0.5 * (1 + erf($1 / 2.squareRoot())) }
                ),
            ]
        return layers.enumerated().flatMap { index, layer in
            shapes.enumerated().map { shapeIndex, shapes in
                let seed = UInt64(100 * index + 2 * shapeIndex)
                return LayerCase(
                    layer.0,
                    // Away from zero, for quotients and powers.
                    [.random(shapes.0, seed: seed, in: 0.5...2), .random(shapes.1, seed: seed + 1, in: 0.5...2)],
                    build: { (g, x) throws(GraphError) in try layer.1(g, x[0], x[1]) },
                    reference: { x in combine(x[0], x[1], layer.2) }
                )
            }
        }
    }()

    private static let unaries: [LayerCase] = {
        let layers:
            [(
                String, ClosedRange<Float>, @Sendable (GraphBuilder, Value) throws(GraphError) -> Value,
                @Sendable (Double) -> Double
            )] = [
                ("Sqrt", 0...4, { (g, x) throws(GraphError) in try g.sqrt(x) }, { $0.squareRoot() }),
                ("Exp", -4...2, { (g, x) throws(GraphError) in try g.exp(x) }, { Foundation.exp($0) }),
                ("Sin", -9...9, { (g, x) throws(GraphError) in try g.sin(x) }, { Foundation.sin($0) }),
                ("Cos", -9...9, { (g, x) throws(GraphError) in try g.cos(x) }, { Foundation.cos($0) }),
                ("Tanh", -4...4, { (g, x) throws(GraphError) in try g.tanh(x) }, { Foundation.tanh($0) }),
                ("ReLU", -2...2, { (g, x) throws(GraphError) in try g.relu(x) }, { max($0, 0) }),
                (
                    "Sigmoid", -6...6, { (g, x) throws(GraphError) in try g.sigmoid(x) },
                    { 1 / (1 + Foundation.exp(-$0)) }
                ),
                ("SiLU", -6...6, { (g, x) throws(GraphError) in try g.silu(x) }, { $0 / (1 + Foundation.exp(-$0)) }),
                (
                    "Quick GELU", -6...6, { (g, x) throws(GraphError) in try g.silu(x, beta: 1.702) },
                    { $0 / (1 + Foundation.exp(-1.702 * $0)) }
                ),
                (
                    "GELU", -5...5, { (g, x) throws(GraphError) in try g.gelu(x) },
                    { $0 * 0.5 * (1 + erf($0 / 2.squareRoot())) }
                ),
                (
                    "GEGLU by itself", -5...5, { (g, x) throws(GraphError) in try g.geglu(x, gate: x) },
                    { $0 * $0 * 0.5 * (1 + erf($0 / 2.squareRoot())) }
                ),
                (
                    "GELU with tanh", -5...5, { (g, x) throws(GraphError) in try g.gelu(x, form: .tanh) },
                    { $0 * 0.5 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
                ),
                (
                    "Clamp", -3...3, { (g, x) throws(GraphError) in try g.clamp(x, to: -0.5...1.25) },
                    { min(max($0, -0.5), 1.25) }
                ),
                ("Add of a number", -3...3, { (g, x) throws(GraphError) in try g.add(x, 0.25) }, { $0 + 0.25 }),
                (
                    "Multiply by a number", -3...3, { (g, x) throws(GraphError) in try g.multiply(x, -1.5) },
                    { $0 * -1.5 }
                ),
                ("Power of a number", 0.5...3, { (g, x) throws(GraphError) in try g.power(x, 1.5) }, { pow($0, 1.5) }),
                (
                    "Convert to integers and back", -3...3,
                    { (g, x) throws(GraphError) in try g.convert(g.convert(x, to: .i32), to: .f32) },
                    { $0.rounded(.towardZero) }
                ),
            ]
        return layers.enumerated().flatMap { index, layer in
            [[3, 17], [1, 2, 5, 7]].enumerated().map { shapeIndex, dimensions in
                LayerCase(
                    layer.0,
                    [.random(Shape(dimensions), seed: UInt64(1000 + 10 * index + shapeIndex), in: layer.1)],
                    build: { (g, x) throws(GraphError) in try layer.2(g, x[0]) },
                    reference: { x in Tensor(shape: x[0].shape) { layer.3(x[0].at($0)) } }
                )
            }
        }
    }()
}

/// Applies a function to two tensors with NumPy broadcasting, index by index.
func combine(_ a: Tensor, _ b: Tensor, _ function: (Double, Double) -> Double) -> Tensor {
    let rank = max(a.shape.rank, b.shape.rank)
    func extent(_ tensor: Tensor, _ axis: Int) -> Int {
        let index = axis - (rank - tensor.shape.rank)
        return index < 0 ? 1 : tensor.shape[index]
    }
    func element(_ tensor: Tensor, _ index: [Int]) -> Double {
        let own = index.dropFirst(rank - tensor.shape.rank)
        return tensor.at(zip(own, tensor.shape.dimensions).map { $1 == 1 ? 0 : $0 })
    }
    let shape = Shape((0..<rank).map { max(extent(a, $0), extent(b, $0)) })
    return Tensor(shape: shape) { function(element(a, $0), element(b, $0)) }
}
