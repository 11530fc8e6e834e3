/// The synchronisation rules by the names that requests use.
public enum BridgeKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Predictions are fused on the overlaps: `OverlapConsensus`.
    case consensus

    /// Every tile attends to every tile's published summary: `CrossSpatialAttention`.
    case attention

    /// The picture is painted small first, then refined: the stages of `PaintPlan`.
    case coarse

    /// What a request uses unless it says otherwise.
    public static let standard: [BridgeKind] = [.consensus, .attention, .coarse]

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
