import Choir
import ChoirGraph
import ChoirModels
import ChoirSampling
import ChoirTensor

/// A UNet as it is used: its weights, what it predicts and what it is told.
struct StableDiffusionUNet: Sendable {
    /// The sizes.
    let configuration: UNetConfiguration

    /// The weights, under the names of diffusers.
    let weights: WeightStore

    /// What it predicts.
    let parameterization: Parameterization

    /// Pixels along a side of a cell.
    let pixelsPerCell: Int

    /// Numbers of the pooled text embedding; 0 for models without.
    let pooledWidth: Int

    /// The bridge of modules for a shape of tiles; nil if they neither read nor publish.
    private func bridge(_ shape: TileShape) -> UNetBridge? {
        guard shape.contextTokens > 0 else { return nil }
        return UNetBridge(
            layers: configuration.bridgeLayers, cellsPerToken: shape.cellsPerToken, contextTokens: shape.contextTokens)
    }

    /// The graph for a shape of tiles.
    ///
    /// - Parameter textTokens: Tokens of the encoded prompt.
    func graph(_ shape: TileShape, textTokens: Int) throws -> Graph {
        try UNetGraph.build(
            configuration, weights: weights, height: shape.height, width: shape.width, textTokens: textTokens,
            bridge: bridge(shape))
    }

    /// The sizes that SDXL is told: of the picture, of the part of it that lies in the tile, and where that begins, in
    /// pixels. For a tile that is the whole picture these are the ones that diffusers assumes.
    func timeIDs(of input: TileInput) -> [Double] {
        let pixels = { (cells: Int) in Double(cells * pixelsPerCell) }
        let (window, picture) = (input.window, input.picture)
        let seen = window.intersection(picture) ?? window
        let place = [pixels(picture.height), pixels(picture.width), pixels(window.y), pixels(window.x)]
        guard configuration.timeIDCount(pooledWidth: pooledWidth) == 5 else {
            return place + [pixels(seen.height), pixels(seen.width)]
        }
        // The refiner is told a score in place of a target's size.
        return place
            + [input.isNegative ? SizeConditioning.negativeAestheticScore : SizeConditioning.aestheticScore]
    }

    /// How much of each token of a tile's context counts for it: the cells that lie in the core of the token's tile,
    /// and not in the reading tile. So every cell of the canvas is told once.
    ///
    /// - Returns: `contextTokens` numbers, as `UNetBridge.bias(ofFraction:)` makes them.
    func contextBias(of input: TileInput, cellsPerToken side: Int) -> [Float] {
        guard let tiles = input.contextTiles else { return [] }
        return tiles.tiles.flatMap { tile in
            let (window, core) = (tile.window, tile.core)
            return stride(from: window.y, to: window.maxY - side + 1, by: side).flatMap { y in
                stride(from: window.x, to: window.maxX - side + 1, by: side).map { x in
                    let told = core.intersection(Region(x: x, y: y, width: side, height: side))
                    let known = told.flatMap { $0.intersection(input.window) }
                    let cells = { (region: Region?) in region.map { $0.width * $0.height } ?? 0 }
                    return UNetBridge.bias(ofFraction: Double(cells(told) - cells(known)) / Double(side * side))
                }
            }
        }
    }
}
