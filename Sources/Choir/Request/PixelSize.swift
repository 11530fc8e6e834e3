/// A picture's size in pixels.
public struct PixelSize: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Pixels from left to right.
    public var width: Int

    /// Pixels from top to bottom.
    public var height: Int

    /// A size; `PaintRequest.validate()` tells whether it can be painted.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// A size from text such as `4096x2048`; nil if the text is not of this form.
    public init?(_ text: String) {
        let sides = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
        self.init(width: width, height: height)
    }

    /// The form that `init(_:)` reads.
    public var description: String { "\(width)x\(height)" }
}
