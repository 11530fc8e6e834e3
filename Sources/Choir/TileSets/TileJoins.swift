/// One side of one picture of a set.
public struct JoinedSide: Hashable, Sendable {
    /// The index of the picture.
    public let image: Int

    /// Which side of it.
    public let side: TileSide
}

/// What the labels of a set say: which sides must fit which.
///
/// Sides with one id form a constraint {A, B}: A are those that run clockwise, B the others, and any of A must fit any
/// of B. So all of A must look alike at the edge, and all of B.
struct TileJoins: Hashable, Sendable {
    /// A constrained side, and those that it must fit.
    struct Partners: Hashable, Sendable {
        let side: JoinedSide
        let others: [JoinedSide]
    }

    /// All constrained sides, in the order of the pictures and of `TileSide`.
    let partners: [Partners]

    /// Sides that must look alike, two or more each.
    let alike: [[JoinedSide]]

    /// Whether any left or right side is constrained.
    let joinsX: Bool

    /// Whether any top or bottom side is constrained.
    let joinsY: Bool

    init(_ images: [TileImage]) {
        let sides = images.enumerated().flatMap { index, image in
            TileSide.allCases.compactMap { side in
                image.sides[side].map { (side: JoinedSide(image: index, side: side), label: $0) }
            }
        }
        partners = sides.map { one in
            Partners(side: one.side, others: sides.filter { $0.label.joins(one.label) }.map(\.side))
        }
        var labels: [SideLabel] = []
        for side in sides where !labels.contains(side.label) { labels.append(side.label) }
        alike = labels.map { label in sides.filter { $0.label == label }.map(\.side) }.filter { $0.count > 1 }
        joinsX = sides.contains { $0.side.side.isAlongX }
        joinsY = sides.contains { !$0.side.side.isAlongX }
    }
}
