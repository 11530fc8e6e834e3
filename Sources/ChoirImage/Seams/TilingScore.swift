/// Whether two edges of pictures can be laid against each other.
///
/// The tiling score of Tiled Diffusion (Madar and Fried, CVPR 2025, section 4), as its code computes it: the largest of
/// three mean absolute differences of neighbouring lines, at the join and 15 pixels away from it on either side, on a
/// scale of 0 to 1. About 0.29 for pictures that have nothing to do with each other and 0.03 for such as join, there.
/// What lies inside of the pictures limits it from below, hence `inside` and `ratio`.
public struct TilingScore: Hashable, Sendable, Codable {
    /// How far from the join the lines lie that are compared with it.
    public static let offset = 15

    /// The lines on either side that `ratio` compares the join with.
    public static let neighbours = 24

    /// The largest of the three differences, 0 ... 1.
    public let score: Double

    /// The mean absolute difference across the join, 0 ... 1.
    public let join: Double

    /// The mean of such differences between neighbouring lines inside of both pictures, next to the join.
    public let inside: Double

    /// `join` over `inside`; 1 is invisible.
    public var ratio: Double { (join + 1e-5) / (inside + 1e-5) }

    /// Compares two edges.
    ///
    /// - Parameters:
    ///   - first: Lines of interleaved 8-bit RGB, from the edge inwards; 17 at least, 25 for all neighbours.
    ///   - second: As many lines of the other picture, each in the direction of the first's.
    /// - Precondition: All lines are equally long, not empty, and there are 17 on each side.
    public init(first: [[UInt8]], second: [[UInt8]]) {
        precondition(min(first.count, second.count) > Self.offset + 1, "too few lines to compare edges by")
        join = Self.difference(first[0], second[0])
        let steps = [first, second].map { lines in
            zip(lines, lines.dropFirst()).prefix(Self.neighbours).map { Self.difference($0, $1) }
        }
        let all = steps[0] + steps[1]
        inside = all.reduce(0, +) / Double(all.count)
        score = max(join, steps[0][Self.offset], steps[1][Self.offset])
    }

    private static func difference(_ first: [UInt8], _ second: [UInt8]) -> Double {
        precondition(first.count == second.count && !first.isEmpty, "lines of \(first.count) and \(second.count) bytes")
        let sum = zip(first, second).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(255 * first.count)
    }
}
