/// A dense array of `Float` with a shape; a value type, stored row-major (the last axis is contiguous).
///
/// Two tensors are equal when shapes and elements are equal as numbers: NaN differs from itself, `-0` equals `0`.
public struct Tensor: Hashable, Sendable {
    /// The extents, outermost first.
    public let shape: Shape

    /// All elements in row-major order; `shape.elementCount` of them.
    public internal(set) var elements: [Float]

    /// Makes a tensor whose elements all have one value.
    public init(shape: Shape, repeating value: Float = 0) {
        self.shape = shape
        self.elements = [Float](repeating: value, count: shape.elementCount)
    }

    /// Makes a tensor from elements in row-major order.
    ///
    /// - Precondition: `elements.count == shape.elementCount`.
    public init(shape: Shape, elements: [Float]) {
        precondition(
            elements.count == shape.elementCount,
            "shape \(shape) needs \(shape.elementCount) elements, got \(elements.count)"
        )
        self.shape = shape
        self.elements = elements
    }

    /// The same elements under another shape, without copying.
    ///
    /// - Precondition: Both shapes have the same element count.
    public consuming func reshaped(to shape: Shape) -> Tensor {
        Tensor(shape: shape, elements: elements)
    }

    /// Provides scoped read access to all elements in row-major order.
    public func withSpan<Result, Failure: Error>(
        _ body: (Span<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(elements.span)
    }

    /// Provides scoped write access to all elements in row-major order.
    public mutating func withMutableSpan<Result, Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = elements.mutableSpan
        return try body(&span)
    }

    /// One element by its index on every axis.
    ///
    /// Checks every index, so it suits tests and single cells; loops go through ``withSpan(_:)``.
    public subscript(indices: Int...) -> Float {
        get { elements[offset(of: indices)] }
        set { elements[offset(of: indices)] = newValue }
    }

    private func offset(of indices: [Int]) -> Int {
        precondition(indices.count == shape.rank, "\(indices.count) indices for shape \(shape)")
        var offset = 0
        for (index, extent) in zip(indices, shape.dimensions) {
            precondition((0..<extent).contains(index), "index \(indices) is outside of shape \(shape)")
            offset = offset * extent + index
        }
        return offset
    }
}
