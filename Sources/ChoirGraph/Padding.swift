/// Cells that a convolution, a pooling or a padding layer adds around a picture.
public struct Padding: Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// Rows above.
    public var top: Int
    /// Columns on the left.
    public var left: Int
    /// Rows below.
    public var bottom: Int
    /// Columns on the right.
    public var right: Int

    /// Makes a padding with four widths.
    public init(top: Int, left: Int, bottom: Int, right: Int) {
        self.top = top
        self.left = left
        self.bottom = bottom
        self.right = right
    }

    /// Makes a padding of one width on all sides.
    public init(_ width: Int) {
        self.init(top: width, left: width, bottom: width, right: width)
    }

    /// Makes a padding of one width on all sides.
    public init(integerLiteral width: Int) { self.init(width) }

    var isNegative: Bool { min(top, left, bottom, right) < 0 }
}

/// How a layer continues a picture beyond its border.
public enum PaddingMode: String, Hashable, Sendable {
    /// With zeros.
    case zero = "constant"
    /// Mirrored without repeating the border cell.
    case reflect
    /// With the border cell.
    case edge
}
