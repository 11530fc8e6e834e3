/// The directions in which opposite edges of a canvas meet, so that copies of the picture can be laid side by side.
public enum WrappedAxes: String, Hashable, Sendable, Codable, CaseIterable {
    /// The right edge goes on at the left one, as in a panorama.
    case x

    /// The bottom edge goes on at the top one.
    case y

    /// Both.
    case xy

    /// Axes by their name.
    ///
    /// - Throws: `RequestError` that lists the names there are.
    public init(name: String) throws(RequestError) {
        guard let axes = Self(rawValue: name.lowercased()) else {
            throw RequestError("tileable", found: name, expected: "one of x, y, xy")
        }
        self = axes
    }

    /// Whether a direction wraps.
    public func contains(_ axis: CanvasAxis) -> Bool { self == .xy || self == (axis == .x ? .x : .y) }
}
