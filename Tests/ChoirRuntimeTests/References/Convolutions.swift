import ChoirGraph
import ChoirTensor

extension LayerCase {
    static let convolutions: [LayerCase] = {
        struct Setting: Sendable {
            var input: Shape
            var weight: Shape
            var bias = false
            var stride = 1
            var padding: Padding = 0
            var dilation = 1
            var groups = 1
        }
        let settings = [
            Setting(input: [1, 3, 7, 9], weight: [5, 3, 3, 3], bias: true, padding: 1),
            Setting(input: [2, 4, 8, 6], weight: [8, 4, 1, 1]),
            Setting(input: [1, 4, 9, 9], weight: [4, 4, 3, 3], bias: true, stride: 2, padding: 1),
            Setting(
                input: [1, 4, 8, 8],
                weight: [4, 4, 3, 3],
                stride: 2,
                padding: Padding(top: 0, left: 0, bottom: 1, right: 1)
            ),
            Setting(input: [1, 2, 11, 10], weight: [3, 2, 3, 3], bias: true, padding: 2, dilation: 2),
            Setting(input: [1, 6, 8, 8], weight: [6, 1, 3, 3], bias: true, padding: 1, groups: 6),
            Setting(input: [2, 8, 5, 5], weight: [4, 4, 3, 3], padding: 1, groups: 2),
            Setting(input: [1, 16, 6, 6], weight: [32, 16, 4, 4], bias: true, stride: 4, padding: 1),
        ]
        let convolutions = settings.enumerated().map { index, setting in
            let weight = Tensor.random(setting.weight, seed: UInt64(2000 + index))
            let bias = setting.bias ? Tensor.random([setting.weight[0]], seed: UInt64(2100 + index)) : nil
            return LayerCase(
                "Convolution, kernel \(setting.weight), stride \(setting.stride), dilation \(setting.dilation), groups \(setting.groups)",
                [.random(setting.input, seed: UInt64(2200 + index))],
                build: { (g, x) throws(GraphError) in
                    var biasValue: Value?
                    if let bias { biasValue = try g.constant(bias) }
                    return try g.convolution(
                        x[0],
                        weight: g.constant(weight),
                        bias: biasValue,
                        stride: setting.stride,
                        padding: setting.padding,
                        dilation: setting.dilation,
                        groups: setting.groups
                    )
                },
                reference: { x in
                    convolve(
                        x[0],
                        weight,
                        bias,
                        stride: setting.stride,
                        padding: setting.padding,
                        dilation: setting.dilation,
                        groups: setting.groups
                    )
                }
            )
        }
        return convolutions + [
            pool([1, 3, 8, 8], kernel: 2, stride: nil, padding: 0, seed: 1),
            pool([2, 2, 9, 7], kernel: 3, stride: 2, padding: 1, seed: 2),
            pool([1, 4, 16, 16], kernel: 4, stride: nil, padding: 0, seed: 3),
        ]
    }()

    private static func pool(
        _ shape: Shape,
        kernel: Int,
        stride: Int?,
        padding: Padding,
        seed: UInt64
    ) -> LayerCase {
        LayerCase(
            "Average pooling, kernel \(kernel), padding \(padding.top)",
            [.random(shape, seed: 2300 + seed)],
            build: { (g, x) throws(GraphError) in
                try g.averagePool(x[0], kernel: kernel, stride: stride, padding: padding)
            },
            reference: { x in
                let step = stride ?? kernel
                let height = (x[0].shape[2] + padding.top + padding.bottom - kernel) / step + 1
                let width = (x[0].shape[3] + padding.left + padding.right - kernel) / step + 1
                return Tensor(shape: [shape[0], shape[1], height, width]) { index in
                    var sum = 0.0
                    var count = 0.0
                    for i in 0..<kernel {
                        for j in 0..<kernel {
                            let row = index[2] * step + i - padding.top
                            let column = index[3] * step + j - padding.left
                            guard (0..<shape[2]).contains(row), (0..<shape[3]).contains(column) else { continue }
                            sum += x[0].at([index[0], index[1], row, column])
                            count += 1
                        }
                    }
                    return sum / count
                }
            }
        )
    }
}

/// The definition of a convolution with zeros around the picture.
private func convolve(
    _ x: Tensor,
    _ weight: Tensor,
    _ bias: Tensor?,
    stride: Int,
    padding: Padding,
    dilation: Int,
    groups: Int
) -> Tensor {
    let (kernelRows, kernelColumns) = (weight.shape[2], weight.shape[3])
    let inputs = weight.shape[1]
    let outputsPerGroup = weight.shape[0] / groups
    let height = (x.shape[2] + padding.top + padding.bottom - (kernelRows - 1) * dilation - 1) / stride + 1
    let width = (x.shape[3] + padding.left + padding.right - (kernelColumns - 1) * dilation - 1) / stride + 1
    return Tensor(shape: [x.shape[0], weight.shape[0], height, width]) { index in
        var sum = bias?.at([index[1]]) ?? 0
        let group = index[1] / outputsPerGroup
        for channel in 0..<inputs {
            for i in 0..<kernelRows {
                for j in 0..<kernelColumns {
                    let row = index[2] * stride + i * dilation - padding.top
                    let column = index[3] * stride + j * dilation - padding.left
                    guard (0..<x.shape[2]).contains(row), (0..<x.shape[3]).contains(column) else { continue }
                    sum +=
                        x.at([index[0], group * inputs + channel, row, column])
                        * weight.at([index[1], channel, i, j])
                }
            }
        }
        return sum
    }
}
