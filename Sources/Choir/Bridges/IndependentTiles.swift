/// Tiles that are denoised alone and stitched at the end: the baseline, which shows what bridges are for.
///
///     D_i = model(x_i)        x_i: the tile's own state, never read or written by another
///     picture = D_i(x) in the core of tile i
///
/// Windows overlap as they do for the other rules, so that every tile has as much surroundings, but what its neighbours
/// make of the overlap never reaches it. Only the noise is shared: it is a function of the cell (`CounterNoise`), so two
/// tiles begin with the same numbers in their overlap. A baseline with noise of its own in every tile would look worse.
public struct IndependentTiles: Bridge {
    /// The rule; it has nothing to set.
    public init() {}

    /// The name that requests use.
    public var kind: BridgeKind { .none }

    /// Each tile keeps a state of its own.
    public var sharesCanvas: Bool { false }
}
