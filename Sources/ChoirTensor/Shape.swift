/// The extents of a tensor, outermost first; `[1, 4, 64, 64]` is one latent of four channels in NCHW layout.
///
/// The shape of a scalar is `[]` and has one element. A shape with a zero extent has no elements.
public struct Shape: Hashable, Sendable {
    /// The extents, outermost first. Never negative.
    public let dimensions: [Int]

    /// The product of all extents; known not to overflow.
    public let elementCount: Int

    /// Makes a shape from extents that this program computed.
    ///
    /// - Precondition: No extent is negative and the product fits in `Int`. Extents that come from a file or a user
    ///   go through ``init(checking:)``.
    public init(_ dimensions: [Int]) {
        guard let checked = Shape(checking: dimensions) else {
            preconditionFailure("shape \(dimensions) has a negative extent or too many elements")
        }
        self = checked
    }

    /// Makes a shape from untrusted extents; nil when one is negative or the element count overflows `Int`.
    public init?(checking dimensions: [Int]) {
        var count = 1
        for extent in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            count = product
        }
        self.dimensions = dimensions
        self.elementCount = count
    }

    /// The number of extents.
    public var rank: Int { dimensions.count }

    /// The extent of one axis.
    public subscript(axis: Int) -> Int { dimensions[axis] }
}

extension Shape: ExpressibleByArrayLiteral {
    /// Makes a shape from literal extents, with the precondition of ``init(_:)``.
    public init(arrayLiteral dimensions: Int...) {
        self.init(dimensions)
    }
}

extension Shape: CustomStringConvertible {
    /// The extents as a list, such as `[1, 4, 64, 64]`.
    public var description: String { dimensions.description }
}
