public import ChoirTensor

/// Classifier-free guidance: pushes a prediction away from what the model would paint without the prompt.
public struct Guidance: Hashable, Sendable {
    /// How far to push: 1 is the conditional prediction alone, larger follows the prompt more.
    public let scale: Double
    /// How much of the conditional prediction's contrast to restore, 0 (none) ... 1 (all).
    public let rescale: Double

    /// Makes a guidance setting.
    ///
    /// - Throws: `SamplingError` if `scale` is not a finite number of at least 0 or `rescale` not in 0 ... 1.
    public init(scale: Double, rescale: Double = 0) throws(SamplingError) {
        guard scale >= 0, scale.isFinite else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "guidance scale",
                message: "found \(scale), expected a finite number of at least 0"
            )
        }
        guard (0...1).contains(rescale) else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "guidance rescale",
                message: "found \(rescale), expected a number from 0 to 1"
            )
        }
        self.scale = scale
        self.rescale = rescale
    }

    /// Whether the unconditional prediction takes part; without it one evaluation of the model is enough.
    public var needsUnconditional: Bool { scale != 1 }

    /// Guides a prediction in place: `unconditional + scale * (conditional - unconditional)`.
    ///
    /// Ho & Salimans 2022, eq. 6, with `scale` = 1 + w. Both tensors are the model's output, or both clean images:
    /// without `rescale` that makes no difference. With it, every entry of the first axis is multiplied by
    /// `rescale * std(conditional) / std(guided) + 1 - rescale` (Lin et al. 2023, eq. 15 and 16), which the paper
    /// applies to the model's output.
    ///
    /// - Precondition: the shapes are equal.
    public func guide(_ conditional: inout Tensor, unconditional: Tensor) {
        guard needsUnconditional else { return }
        let before = rescale > 0 ? Guidance.deviations(conditional) : []
        conditional.combine(scale: scale, with: unconditional, otherScale: 1 - scale)
        guard rescale > 0 else { return }
        let after = Guidance.deviations(conditional)
        let factors = zip(before, after).map { before, after in
            Float(after > 0 ? rescale * before / after + 1 - rescale : 1)
        }
        conditional.withMutableSpan { elements in
            let length = elements.count / max(factors.count, 1)
            for index in elements.indices {
                elements[index] *= factors[index / length]
            }
        }
    }

    /// The standard deviation of every entry of the first axis, summed in `Double` in element order.
    private static func deviations(_ tensor: Tensor) -> [Double] {
        let entries = tensor.shape.rank == 0 ? 1 : tensor.shape[0]
        let length = tensor.shape.elementCount / max(entries, 1)
        return tensor.withSpan { elements in
            (0..<entries).map { entry in
                let range = entry * length..<(entry + 1) * length
                let mean = range.reduce(0.0) { $0 + Double(elements[$1]) } / Double(length)
                let squares = range.reduce(0.0) { sum, index in
                    let difference = Double(elements[index]) - mean
                    return sum + difference * difference
                }
                return (squares / Double(length)).squareRoot()
            }
        }
    }
}
