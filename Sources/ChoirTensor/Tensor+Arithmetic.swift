// Every element is computed on its own in the written order of operations, in `Float`, with no fused or reassociated
// sums: the bits depend neither on how the compiler vectorises the loops nor on which host runs them.
extension Tensor {
    /// The linear interpolation `(1 - fraction) * self + fraction * other`; exact at fractions 0 and 1.
    ///
    /// - Precondition: Both tensors have the same shape.
    public func lerp(to other: Tensor, fraction: Float) -> Tensor {
        Tensor.weightedSum([self, other], weights: [1 - fraction, fraction])
    }

    /// Adds `scale * other` to every element (BLAS `axpy`).
    ///
    /// - Precondition: Both tensors have the same shape.
    public mutating func add(_ other: Tensor, scaledBy scale: Float = 1) {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        other.elements.withUnsafeBufferPointer { addend in
            elements.withUnsafeMutableBufferPointer { target in
                for index in target.indices {
                    target[index] += scale * addend[index]
                }
            }
        }
    }

    /// Every element multiplied by `factor`.
    public func scaled(by factor: Float) -> Tensor {
        let scaled = [Float](unsafeUninitializedCapacity: elements.count) { target, count in
            elements.withUnsafeBufferPointer { source in
                for index in source.indices {
                    target[index] = factor * source[index]
                }
            }
            count = elements.count
        }
        return Tensor(shape: shape, elements: scaled)
    }

    /// The sum of `weights[i] * tensors[i]`, added in the order of the list.
    ///
    /// - Precondition: The list is not empty, has as many tensors as weights, and all shapes are the same.
    public static func weightedSum(_ tensors: [Tensor], weights: [Float]) -> Tensor {
        precondition(!tensors.isEmpty && tensors.count == weights.count, "a weighted sum needs one weight per tensor")
        var sum = tensors[0].scaled(by: weights[0])
        for (tensor, weight) in zip(tensors, weights).dropFirst() {
            sum.add(tensor, scaledBy: weight)
        }
        return sum
    }
}
