import ChoirGraph
import ChoirTensor

extension LayerCase {
    static let shapes: [LayerCase] = [
        LayerCase(
            "Reshape",
            [.random([2, 3, 4], seed: 5000)],
            build: { (g, x) throws(GraphError) in try g.add(g.reshape(x[0], to: [4, -1]), 0) },
            reference: { $0[0].reshaped(to: [4, 6]) }
        ),
        LayerCase(
            "Reshape of a constant",
            [.random([1, 6, 1], seed: 5001)],
            build: { (g, x) throws(GraphError) in
                let constant = try g.constant(.random([2, 3], seed: 5002))
                return try g.add(x[0], g.reshape(constant, to: [1, 6, 1]))
            },
            reference: { x in combine(x[0], Tensor.random([2, 3], seed: 5002).reshaped(to: [1, 6, 1])) { $0 + $1 } }
        ),
        LayerCase(
            "Squeeze and unsqueeze",
            [.random([2, 1, 4], seed: 5003)],
            build: { (g, x) throws(GraphError) in try g.add(g.unsqueeze(g.squeeze(x[0], axis: 1), axis: -1), 0) },
            reference: { $0[0].reshaped(to: [2, 4, 1]) }
        ),
        transpose([2, 3, 4, 5], order: [0, 2, 3, 1], seed: 5010),
        transpose([2, 3, 4], order: [2, 0, 1], seed: 5011),
        concat([[2, 3, 4], [2, 5, 4], [2, 1, 4]], axis: 1, seed: 5020),
        concat([[1, 2, 3, 3], [1, 2, 3, 2]], axis: -1, seed: 5030),
        slice([2, 9, 3], axis: 1, 2..<7, step: 1, seed: 5040),
        slice([2, 9, 3], axis: 1, 1..<9, step: 3, seed: 5041),
        slice([1, 4, 6, 6], axis: -1, 0..<6, step: 2, seed: 5042),
        split([2, 9, 4], axis: 1, lengths: [2, 4, 3], seed: 5050),
        split([2, 3, 8], axis: -1, lengths: [4, 4], seed: 5051),
        gather([6, 5], [[3, 0], [5, 3]], axis: 0, seed: 5060),
        gather([2, 4, 3], [[1, 1, 0]], axis: 1, seed: 5061),
        LayerCase(
            "Tile",
            [.random([2, 1, 3], seed: 5070)],
            build: { (g, x) throws(GraphError) in try g.tile(x[0], repeats: [2, 3, 1]) },
            reference: { x in Tensor(shape: [4, 3, 3]) { x[0].at([$0[0] % 2, 0, $0[2]]) } }
        ),
        LayerCase(
            "Broadcast",
            [.random([3, 1], seed: 5080)],
            build: { (g, x) throws(GraphError) in try g.broadcast(x[0], to: [2, 3, 4]) },
            reference: { x in Tensor(shape: [2, 3, 4]) { x[0].at([$0[1], 0]) } }
        ),
    ]

    private static func transpose(_ shape: Shape, order: [Int], seed: UInt64) -> LayerCase {
        LayerCase(
            "Transpose to \(order)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.transpose(x[0], order: order) },
            reference: { x in
                Tensor(shape: Shape(order.map { shape[$0] })) { index in
                    var source = index
                    for (position, axis) in order.enumerated() { source[axis] = index[position] }
                    return x[0].at(source)
                }
            }
        )
    }

    private static func concat(_ shapes: [[Int]], axis: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Concat along axis \(axis)",
            shapes.enumerated().map { .random(Shape($1), seed: seed + UInt64($0)) },
            build: { (g, x) throws(GraphError) in try g.concat(x, axis: axis) },
            reference: { x in
                let axis = axis < 0 ? axis + shapes[0].count : axis
                var dimensions = shapes[0]
                dimensions[axis] = shapes.map { $0[axis] }.reduce(0, +)
                return Tensor(shape: Shape(dimensions)) { index in
                    var source = index
                    var part = 0
                    while source[axis] >= shapes[part][axis] {
                        source[axis] -= shapes[part][axis]
                        part += 1
                    }
                    return x[part].at(source)
                }
            }
        )
    }

    private static func slice(_ shape: Shape, axis: Int, _ range: Range<Int>, step: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Slice \(range) step \(step)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.slice(x[0], axis: axis, range: range, step: step) },
            reference: { x in
                let axis = axis < 0 ? axis + shape.rank : axis
                let kept = Array(stride(from: range.lowerBound, to: range.upperBound, by: step))
                var dimensions = shape.dimensions
                dimensions[axis] = kept.count
                return Tensor(shape: Shape(dimensions)) { index in
                    var source = index
                    source[axis] = kept[index[axis]]
                    return x[0].at(source)
                }
            }
        )
    }

    /// Splits and joins in reverse order, so that every part is looked at.
    private static func split(_ shape: Shape, axis: Int, lengths: [Int], seed: UInt64) -> LayerCase {
        LayerCase(
            "Split into \(lengths)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in
                try g.concat(g.variadicSplit(x[0], axis: axis, lengths: lengths).reversed(), axis: axis)
            },
            reference: { x in
                let axis = axis < 0 ? axis + shape.rank : axis
                var starts: [Int] = []
                for length in lengths {
                    starts.append((starts.last ?? 0) + (starts.isEmpty ? 0 : lengths[starts.count - 1])); _ = length
                }
                let order = zip(starts, lengths).reversed().flatMap { start, length in start..<(start + length) }
                return Tensor(shape: shape) { index in
                    var source = index
                    source[axis] = order[index[axis]]
                    return x[0].at(source)
                }
            }
        )
    }

    private static func gather(_ shape: Shape, _ indices: [[Int]], axis: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Gather along axis \(axis)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in
                let constant = try g.constant(
                    integers: indices.flatMap { $0 },
                    shape: [indices.count, indices[0].count]
                )
                return try g.gather(x[0], indices: constant, axis: axis)
            },
            reference: { x in
                let dimensions =
                    shape.dimensions[..<axis] + [indices.count, indices[0].count] + shape.dimensions[(axis + 1)...]
                return Tensor(shape: Shape(Array(dimensions))) { index in
                    let source = index[..<axis] + [indices[index[axis]][index[axis + 1]]] + index[(axis + 2)...]
                    return x[0].at(Array(source))
                }
            }
        )
    }
}
