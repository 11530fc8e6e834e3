/// The synchronisation rules by the names that requests use.
///
/// A painting has at most one of `none`, `consensus`, `shift` and `halo`, which say how predictions of tiles become one
/// canvas; the others go with any of them. Without any of the four tiles are denoised as by `none`.
public enum BridgeKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Tiles are denoised alone and stitched at the end: `IndependentTiles`.
    case none

    /// Predictions are fused on the overlaps: `OverlapConsensus`.
    case consensus

    /// Tiles do not overlap, and the grid moves every step: `ShiftedGrid`.
    case shift

    /// Each tile sees its neighbours' cells of the last step around its own: `HaloExchange`.
    case halo

    /// Every tile attends to every tile's published summary: `CrossSpatialAttention`.
    case attention

    /// The picture is painted small first, then refined. A rule between scales and not between tiles: it makes the
    /// stages of `PaintPlan`, and no `Bridge`.
    case coarse

    /// Views through the whole canvas lead its finer stages, for models that do not see the coarser picture:
    /// `DilatedViews`. It goes with `coarse`.
    case dilated

    /// What a request uses unless it says otherwise.
    public static let standard: [BridgeKind] = [.consensus, .attention, .coarse]

    /// The rules that say how predictions become one canvas.
    public static let merging: [BridgeKind] = [.none, .consensus, .shift, .halo]

    /// A rule by its name.
    ///
    /// - Throws: `RequestError` that lists the names there are.
    public init(name: String) throws(RequestError) {
        guard let kind = Self(rawValue: name.lowercased()) else {
            throw RequestError(
                "bridge", found: name, expected: "one of " + Self.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = kind
    }
}

extension BridgeKind {
    /// The rule by which predictions become one canvas, for a name of `merging`; for another, tiles stay alone.
    ///
    /// - Parameter weights: The weights of `consensus`.
    func bridge(weights: ConsensusWeights = .hann) -> any Bridge {
        switch self {
        case .consensus: OverlapConsensus(weights: weights)
        case .shift: ShiftedGrid()
        case .halo: HaloExchange()
        case .none, .attention, .coarse, .dilated: IndependentTiles()
        }
    }
}

extension PaintRequest {
    /// The name of the rule by which predictions become one canvas.
    var merging: BridgeKind { bridges.first { BridgeKind.merging.contains($0) } ?? BridgeKind.none }
}
