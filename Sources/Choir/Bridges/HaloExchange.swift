/// Each tile's padding is overwritten with its neighbours' cells of the last step, both ways; nothing is averaged.
///
/// The tiling constraint of Tiled Diffusion (Madar and Fried, CVPR 2025, section 3) on a regular grid, where every join
/// is one-to-one. With p_i the padding of tile i, k_i the cells that it keeps (its core), and t the step:
///
///     x_i^t (p_i) <- x_j^t (k_j)     for every neighbour j, before anyone is denoised
///     x_i^(t-1)    = step(x_i^t, model(x_i^t))
///
/// All tiles read the step before and write their own cells: a Jacobi iteration, in which tiles are independent.
/// Paddings are overwritten before they are ever read, so only the cores carry anything on, and the cores together are
/// one canvas: a tile reads its window of it, padding included, and writes its core. The rule is therefore
/// `OverlapConsensus` on the same windows with weights of 1 in the core and 0 in the padding. What differs is what
/// disagreement turns into: where consensus takes a mean, which may be blurred and belongs to neither tile, a border
/// between cores stays where the two predictions meet, and only what the model makes of its padding closes it.
///
/// An overlap of o cells is a padding of o / 2 on each side of a border.
public struct HaloExchange: Bridge {
    /// The rule; it has nothing to set.
    public init() {}

    /// The name that requests use.
    public var kind: BridgeKind { .halo }
}
