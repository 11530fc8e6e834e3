/// Tiles do not overlap; the grid lies elsewhere in every step, so that no cell stays at a border.
///
/// SpotDiffusion (Frolov et al. 2024): a step costs exactly as many evaluations as there are tiles. Here the grid moves
/// in place of the canvas. Along each axis offsets are multiples of a number that fractions approximate badly, so that any
/// few of them in a row lie far apart (Kronecker sequences; upright borders only move along x, level ones along y):
///
///     offset_k = fraction(1/2 + k · a),   a = (√5 - 1) / 2 along x,   √2 - 1 along y
///
/// On a ring offsets go round. On an axis that ends, the windows at both ends are moved inside, where they overlap what
/// the next one predicts; the cut between the two is where the grid says. Windows that fill an axis exactly could not
/// move, so they are made longer until their lengths together exceed the axis by a quarter of a window: there are as many
/// as in a grid that stands still, and borders move over that quarter.
public struct ShiftedGrid: Bridge {
    /// The rule; it has nothing to set.
    public init() {}

    /// The name that requests use.
    public var kind: BridgeKind { .shift }

    /// Only where windows were moved inside of the canvas.
    public var overlaps: Bool { false }

    /// The fewest windows that cover the axis, with room to move.
    public func axis(length: Int, _ cut: TileCut) -> TileAxis {
        let count = (length + cut.window - 1) / cut.window
        let room = cut.wraps || count == 1 ? 0 : cut.window / 4
        let even = TileAxis.aligned((length + room + count - 1) / count, cut.alignment)
        // On a ring windows of a named side may be longer than they must: they then see more of their neighbours.
        let window = cut.isFitted || count == 1 ? even : max(even, TileAxis.aligned(cut.window, cut.alignment))
        let axis = TileAxis(
            length: length, window: window, overlap: 0, alignment: cut.alignment, wraps: cut.wraps)
        return cut.wraps ? axis : Self.move(axis, by: 0)
    }

    /// The grid moved by the offset of the evaluation.
    public func move(_ axis: TileAxis, at evaluation: Int, along direction: CanvasAxis) -> TileAxis {
        let step = direction == .x ? (5.0.squareRoot() - 1) / 2 : 2.0.squareRoot() - 1
        let offset = (0.5 + Double(evaluation) * step).truncatingRemainder(dividingBy: 1)
        return Self.move(axis, by: offset)
    }

    /// - Parameter offset: The share of the room, or on a ring of a window, 0 ..< 1.
    private static func move(_ axis: TileAxis, by offset: Double) -> TileAxis {
        let (count, window, alignment) = (axis.starts.count, axis.window, axis.alignment)
        if axis.wraps {
            let cells = Int(offset * Double(axis.length / count / alignment)) * alignment
            return TileAxis(
                ring: axis.length, window: window, starts: axis.starts.map { $0 + cells }, alignment: alignment)
        }
        let room = (count * window - axis.length) / alignment
        let cells = Int((offset * Double(room + 1)).rounded(.down)) * alignment
        let edges = (1..<max(1, count)).map { $0 * window - cells }
        return TileAxis(
            length: axis.length, window: window, wraps: false,
            starts: (0..<count).map { min(max($0 * window - cells, 0), axis.length - window) },
            cores: zip([0] + edges, edges + [axis.length]).map { $0..<$1 }, alignment: alignment)
    }
}
