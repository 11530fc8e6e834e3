import ChoirGraph
import ChoirTensor

extension LayerCase {
    static let resamplings: [LayerCase] = [
        nearest([1, 2, 3, 4], 6, 8, seed: 6000), nearest([2, 1, 5, 7], 3, 11, seed: 6001),
        nearest([1, 3, 4, 4], 12, 12, seed: 6002),
        linear([1, 2, 3, 4], 6, 8, seed: 6010), linear([2, 1, 5, 7], 9, 10, seed: 6011),
        linear([1, 1, 8, 8], 4, 4, seed: 6012), linear([1, 3, 4, 4], 16, 16, seed: 6013),
        shuffle([1, 8, 3, 4], 2, seed: 6020), shuffle([2, 48, 2, 3], 4, seed: 6021),
        unshuffle([1, 3, 4, 6], 2, seed: 6030), unshuffle([2, 3, 8, 4], 4, seed: 6031),
        pad([1, 2, 3, 4], Padding(top: 1, left: 2, bottom: 0, right: 3), .zero, seed: 6040),
        pad([1, 2, 5, 4], Padding(top: 2, left: 1, bottom: 4, right: 3), .reflect, seed: 6041),
        pad([2, 1, 3, 3], 2, .edge, seed: 6042),
    ]

    private static func nearest(_ shape: Shape, _ height: Int, _ width: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Nearest cell, to \(height) × \(width)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in
                try g.interpolate(x[0], height: height, width: width, method: .nearest)
            },
            reference: { x in
                Tensor(shape: [shape[0], shape[1], height, width]) { index in
                    x[0].at([index[0], index[1], index[2] * shape[2] / height, index[3] * shape[3] / width])
                }
            }
        )
    }

    private static func linear(_ shape: Shape, _ height: Int, _ width: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Linear, to \(height) × \(width)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in
                try g.interpolate(x[0], height: height, width: width, method: .linear)
            },
            reference: { x in
                // The position of a new cell's centre among the old centres, limited to the picture.
                func position(_ index: Int, _ old: Int, _ new: Int) -> Double {
                    min(max((Double(index) + 0.5) * Double(old) / Double(new) - 0.5, 0), Double(old - 1))
                }
                return Tensor(shape: [shape[0], shape[1], height, width]) { index in
                    let y = position(index[2], shape[2], height)
                    let x0 = position(index[3], shape[3], width)
                    let (top, left) = (Int(y), Int(x0))
                    let (bottom, right) = (min(top + 1, shape[2] - 1), min(left + 1, shape[3] - 1))
                    func cell(_ row: Int, _ column: Int) -> Double { x[0].at([index[0], index[1], row, column]) }
                    let (v, u) = (y - Double(top), x0 - Double(left))
                    return (cell(top, left) * (1 - u) + cell(top, right) * u) * (1 - v)
                        + (cell(bottom, left) * (1 - u) + cell(bottom, right) * u) * v
                }
            }
        )
    }

    /// PyTorch's definition of `pixel_shuffle`.
    private static func shuffle(_ shape: Shape, _ r: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Depth to space by \(r)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.depthToSpace(x[0], blockSize: r) },
            reference: { x in
                Tensor(shape: [shape[0], shape[1] / (r * r), shape[2] * r, shape[3] * r]) { index in
                    let channel = index[1] * r * r + index[2] % r * r + index[3] % r
                    return x[0].at([index[0], channel, index[2] / r, index[3] / r])
                }
            }
        )
    }

    /// PyTorch's definition of `pixel_unshuffle`.
    private static func unshuffle(_ shape: Shape, _ r: Int, seed: UInt64) -> LayerCase {
        LayerCase(
            "Space to depth by \(r)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.spaceToDepth(x[0], blockSize: r) },
            reference: { x in
                Tensor(shape: [shape[0], shape[1] * r * r, shape[2] / r, shape[3] / r]) { index in
                    let (channel, cell) = index[1].quotientAndRemainder(dividingBy: r * r)
                    return x[0].at([index[0], channel, index[2] * r + cell / r, index[3] * r + cell % r])
                }
            }
        )
    }

    private static func pad(_ shape: Shape, _ padding: Padding, _ mode: PaddingMode, seed: UInt64) -> LayerCase {
        LayerCase(
            "Pad, \(mode)",
            [.random(shape, seed: seed)],
            build: { (g, x) throws(GraphError) in try g.pad(x[0], padding, mode: mode) },
            reference: { x in
                func source(_ index: Int, _ extent: Int) -> Int? {
                    if (0..<extent).contains(index) { return index }
                    switch mode {
                    case .zero: return nil
                    case .edge: return min(max(index, 0), extent - 1)
                    case .reflect: return index < 0 ? -index : 2 * (extent - 1) - index
                    }
                }
                let height = shape[2] + padding.top + padding.bottom
                let width = shape[3] + padding.left + padding.right
                return Tensor(shape: [shape[0], shape[1], height, width]) { index in
                    guard let row = source(index[2] - padding.top, shape[2]),
                        let column = source(index[3] - padding.left, shape[3])
                    else { return 0 }
                    return x[0].at([index[0], index[1], row, column])
                }
            }
        )
    }
}
