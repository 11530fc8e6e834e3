import ChoirGraph
import ChoirTensor

extension LayerCase {
    static let normalizations: [LayerCase] =
        [([1, 8, 5, 6], 4), ([2, 6, 4, 4], 1), ([2, 6, 7], 3), ([1, 32, 8, 8], 32)].enumerated().map { index, setting in
            groupNormalization(Shape(setting.0), groups: setting.1, seed: UInt64(3000 + 3 * index))
        } + [
            LayerCase(
                "MVN over rows and columns",
                [.random([2, 3, 5, 4], seed: 3100)],
                build: { (g, x) throws(GraphError) in
                    try g.meanVarianceNormalization(x[0], axes: [2, 3], epsilon: 1e-6)
                },
                reference: { normalize($0[0], axes: [2, 3], epsilon: 1e-6) }
            ),
            LayerCase(
                "MVN over the last axis",
                [.random([3, 7, 16], seed: 3101)],
                build: { (g, x) throws(GraphError) in try g.meanVarianceNormalization(x[0], axes: [-1], epsilon: 1e-3)
                },
                reference: { normalize($0[0], axes: [2], epsilon: 1e-3) }
            ),
            layerNormalization([2, 5, 12], hasShift: true, seed: 3110),
            layerNormalization([3, 40], hasShift: false, seed: 3120),
            rootMeanSquare([1, 12, 5, 4], axis: 1, seed: 3130),
            rootMeanSquare([2, 3, 24], axis: -1, seed: 3131),
            mean([2, 3, 4, 5], axes: [1, 2, 3], keep: true, seed: 3140),
            mean([2, 3, 4, 5], axes: [-1], keep: false, seed: 3141),
            mean([2, 3, 4, 5], axes: [1], keep: false, seed: 3142),
        ]

    private static func groupNormalization(_ shape: Shape, groups: Int, seed: UInt64) -> LayerCase {
        let scale = Tensor.random([shape[1]], seed: seed)
        let shift = Tensor.random([shape[1]], seed: seed + 1)
        return LayerCase(
            "Group normalisation, \(groups) groups",
            [.random(shape, seed: seed + 2, in: -2...3)],
            build: { (g, x) throws(GraphError) in
                try g.groupNormalization(
                    x[0],
                    scale: g.constant(scale),
                    shift: g.constant(shift),
                    groups: groups,
                    epsilon: 1e-5
                )
            },
            reference: { x in
                let size = shape[1] / groups
                let rest = shape.elementCount / shape[0] / groups
                let grouped = normalize(
                    x[0].reshaped(to: [shape[0], groups, rest]),
                    axes: [2],
                    epsilon: 1e-5
                ).reshaped(to: shape)
                precondition(size * groups == shape[1])
                return Tensor(shape: shape) { grouped.at($0) * scale.at([$0[1]]) + shift.at([$0[1]]) }
            }
        )
    }

    private static func layerNormalization(_ shape: Shape, hasShift: Bool, seed: UInt64) -> LayerCase {
        let width = shape[shape.rank - 1]
        let scale = Tensor.random([width], seed: seed)
        let shift = Tensor.random([width], seed: seed + 1)
        return LayerCase(
            "Layer normalisation\(hasShift ? "" : " without shift")",
            [.random(shape, seed: seed + 2, in: -1...4)],
            build: { (g, x) throws(GraphError) in
                let shiftValue = hasShift ? try g.constant(shift) : nil
                return try g.layerNormalization(x[0], scale: g.constant(scale), shift: shiftValue)
            },
            reference: { x in
                let normal = normalize(x[0], axes: [shape.rank - 1], epsilon: 1e-5)
                return Tensor(shape: shape) { index in
                    normal.at(index) * scale.at([index[shape.rank - 1]])
                        + (hasShift ? shift.at([index[shape.rank - 1]]) : 0)
                }
            }
        )
    }

    private static func rootMeanSquare(_ shape: Shape, axis: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Root-mean-square normalisation along axis \(axis)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.rootMeanSquareNormalization(x[0], axis: axis, epsilon: 1e-6) },
            reference: { x in
                let square = Tensor(shape: shape) { x[0].at($0) * x[0].at($0) }
                let meanSquare = means(square, axes: [axis < 0 ? axis + shape.rank : axis])
                return Tensor(shape: shape) { x[0].at($0) / (meanSquare($0) + 1e-6).squareRoot() }
            }
        )
    }

    private static func mean(_ shape: Shape, axes: [Int], keep: Bool, seed: UInt64) -> LayerCase {
        LayerCase(
            "Mean over axes \(axes)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.reduceMean(x[0], axes: axes, keepDimensions: keep) },
            reference: { x in
                let positive = axes.map { $0 < 0 ? $0 + shape.rank : $0 }
                let mean = means(x[0], axes: positive)
                let kept = Shape(shape.dimensions.enumerated().map { positive.contains($0) ? 1 : $1 })
                let result = Tensor(shape: kept) { mean($0) }
                let squeezed = shape.dimensions.enumerated().filter { !positive.contains($0.offset) }.map(\.element)
                return keep ? result : result.reshaped(to: Shape(squeezed))
            }
        )
    }
}

/// The mean over axes as a function of any index, of which the coordinates of those axes do not matter.
func means(_ x: Tensor, axes: [Int]) -> ([Int]) -> Double {
    var sums: [[Int]: (Double, Double)] = [:]
    func key(_ index: [Int]) -> [Int] { index.enumerated().map { axes.contains($0) ? 0 : $1 } }
    for index in x.shape.indices {
        let (sum, count) = sums[key(index), default: (0, 0)]
        sums[key(index)] = (sum + x.at(index), count + 1)
    }
    return { index in sums[key(index)].map { $0 / $1 } ?? .nan }
}

private func normalize(_ x: Tensor, axes: [Int], epsilon: Double) -> Tensor {
    let mean = means(x, axes: axes)
    let variance = means(
        Tensor(shape: x.shape) { index in
            let centred = x.at(index) - mean(index)
            return centred * centred
        },
        axes: axes
    )
    return Tensor(shape: x.shape) { (x.at($0) - mean($0)) / (variance($0) + epsilon).squareRoot() }
}
