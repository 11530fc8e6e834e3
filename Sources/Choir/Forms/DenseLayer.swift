public import ChoirTensor

/// A layer whose outputs each depend on all inputs.
public struct DenseLayer: Sendable {
    private let weight: Tensor
    private let bias: Tensor

    /// A layer.
    ///
    /// - Parameters:
    ///   - weight: `[outputs, inputs]`.
    ///   - bias: `[outputs]`.
    public init(weight: Tensor, bias: Tensor) {
        precondition(weight.shape.rank == 2 && bias.shape == [weight.height], "no layer of \(weight.shape)")
        self.weight = weight
        self.bias = bias
    }

    /// How many numbers it gives.
    public var outputs: Int { weight.height }

    /// Its outputs, summed in the order of the inputs.
    func callAsFunction(_ inputs: [Float]) -> [Float] {
        precondition(inputs.count == weight.width, "\(inputs.count) inputs for a layer of \(weight.width)")
        return weight.withSpan { weight in
            (0..<outputs).map { output in
                var sum = bias.elements[output]
                for input in inputs.indices { sum += weight[output * inputs.count + input] * inputs[input] }
                return sum
            }
        }
    }
}
