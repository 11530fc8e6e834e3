/// A side of a picture. Raw values count quarter turns clockwise from the right.
public enum TileSide: Int, Hashable, Sendable, CaseIterable {
    /// The right edge, from top to bottom when walked clockwise.
    case right
    /// The bottom edge, from right to left.
    case bottom
    /// The left edge, from bottom to top.
    case left
    /// The top edge, from left to right.
    case top

    /// The name that files use.
    public var name: String {
        switch self {
        case .right: "right"
        case .bottom: "bottom"
        case .left: "left"
        case .top: "top"
        }
    }

    /// A side by its name; nil if there is none.
    public init?(name: String) {
        guard let side = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = side
    }

    /// The side that lies across.
    public var opposite: TileSide { turned(by: 2) }

    /// Whether the side joins pictures from left to right.
    var isAlongX: Bool { self == .right || self == .left }

    /// Where the side is after quarter turns clockwise.
    func turned(by quarterTurns: Int) -> TileSide {
        Self.allCases[((rawValue + quarterTurns) % 4 + 4) % 4]
    }

    /// The quarter turns clockwise that bring this side to the place of another.
    func turns(to other: TileSide) -> Int { (other.rawValue - rawValue + 4) % 4 }
}

/// What a side may be joined with: sides of the same number and the other direction.
///
/// As in Tiled Diffusion (Madar and Fried, CVPR 2025): think of an arrow along the edge. Two sides fit when their arrows
/// have the same colour, the number, and point the same way where the pictures touch, which is clockwise around one
/// picture and counterclockwise around the other. So a join never needs a mirror, at most a rotation.
public struct SideLabel: Hashable, Sendable, Codable {
    /// The sense of the arrow.
    public enum Direction: String, Hashable, Sendable, Codable {
        /// Clockwise around the picture.
        case clockwise = "cw"
        /// Counterclockwise.
        case counterclockwise = "ccw"
    }

    /// Which family of sides it belongs to.
    public var id: Int

    /// The sense of its arrow.
    public var direction: Direction

    /// A label.
    public init(id: Int, direction: Direction) {
        self.id = id
        self.direction = direction
    }

    /// Whether sides with these labels may be joined.
    public func joins(_ other: SideLabel) -> Bool { id == other.id && direction != other.direction }
}
