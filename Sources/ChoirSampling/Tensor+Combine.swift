import ChoirTensor

extension Tensor {
    /// Replaces every element by `scale * element + otherScale * other`, in `Float`, in this order.
    ///
    /// - Precondition: both tensors have the same shape.
    mutating func combine(scale: Double, with other: Tensor, otherScale: Double) {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        let (a, b) = (Float(scale), Float(otherScale))
        other.withSpan { source in
            source.withUnsafeBufferPointer { source in
                withMutableSpan { target in
                    target.withUnsafeMutableBufferPointer { target in
                        for index in target.indices {
                            target[index] = a * target[index] + b * source[index]
                        }
                    }
                }
            }
        }
    }
}
