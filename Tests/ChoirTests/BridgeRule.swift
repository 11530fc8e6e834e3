import ChoirTensor

@testable import Choir

/// A way to paint, for tests that every bridge must pass: all names of `BridgeKind`, each alone and with the others that
/// it goes with, on canvases that end and on canvases that wrap.
struct BridgeRule: CustomStringConvertible, Sendable {
    var bridges: [BridgeKind]
    var weights: ConsensusWeights?
    var tileable: WrappedAxes?

    var description: String {
        let names =
            bridges.map(\.rawValue)
            + [weights?.rawValue, tileable.map { "tileable \($0.rawValue)" }].compactMap(\.self)
        return names.joined(separator: " ")
    }

    /// All but `dilated`, which needs a model that does not see the coarser picture.
    static let all: [BridgeRule] = BridgeKind.allCases.filter { $0 != .dilated }.flatMap { kind in
        let others: [BridgeKind] = [.attention, .coarse].filter { $0 != kind }
        let weights: [ConsensusWeights?] = kind == .consensus ? ConsensusWeights.allCases : [nil]
        return weights.flatMap { weights in
            [
                BridgeRule(bridges: [kind], weights: weights),
                BridgeRule(bridges: [kind], weights: weights, tileable: .x),
                BridgeRule(bridges: [kind] + others, weights: weights),
                BridgeRule(bridges: [kind] + others, weights: weights, tileable: .xy),
            ]
        }
    }

    /// Those that merge by themselves.
    static let merging = all.filter { $0.bridges.count == 1 && BridgeKind.merging.contains($0.bridges[0]) }

    var bridge: any Bridge {
        (bridges.first { BridgeKind.merging.contains($0) } ?? .none).bridge(weights: weights ?? .hann)
    }

    func request(width: Int = 144, height: Int = 80) -> PaintRequest {
        var request = PaintRequest(prompt: "a red nebula", size: PixelSize(width: width, height: height))
        request.bridges = bridges
        request.weights = weights
        request.tileable = tileable
        request.steps = 2
        return request
    }

    /// A plan of 304 x 144 cells, or of a size that is no multiple of the tile or the alignment where it wraps.
    func plan(tile: Int = 64, overlap: Int = 16) -> TilePlan {
        let (x, y) = (tileable?.contains(.x) ?? false, tileable?.contains(.y) ?? false)
        let overlap = bridges.contains(.shift) ? 0 : overlap
        let cut = { TileCut(window: tile, overlap: overlap, alignment: 16, wraps: $0) }
        return TilePlan(
            columns: bridge.axis(length: x ? 300 : 304, cut(x)), rows: bridge.axis(length: y ? 150 : 144, cut(y)))
    }
}
