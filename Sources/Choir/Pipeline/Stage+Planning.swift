import ChoirSampling

extension Stage {
    /// Plans one scale of a painting.
    init(scale: Int, refines: Bool, request: PaintRequest, traits: ModelTraits) throws {
        let best = traits.scales[scale]
        let reduction = (0..<scale).reduce(1) { factor, _ in factor * traits.scaleFactor }
        let content = (
            width: Self.quotient(request.size.width, reduction), height: Self.quotient(request.size.height, reduction)
        )
        let merging = request.merging
        let bridge = merging.bridge()
        let tile = request.tile ?? traits.tile
        let overlap = bridge.overlaps ? request.overlap ?? min(traits.overlap, tile / 4) : 0
        let (x, y) = (request.wraps(.x), request.wraps(.y))
        guard overlap < tile else {
            throw RequestError("overlap", found: "\(overlap)", expected: "less than the tile, \(tile)")
        }
        let fitted = { (length: Int, wraps: Bool) in
            request.tile
                ?? TileAxis.fittedWindow(
                    length: length, near: tile, overlap: overlap, alignment: traits.alignment, wraps: wraps)
        }
        let longer = fitted(max(content.width, content.height), false)
        // A ring takes other windows than an axis that ends.
        let window = { (length: Int, wraps: Bool) in x || y ? fitted(length, wraps) : longer }
        guard overlap <= longer / 2 else {
            throw RequestError("overlap", found: "\(overlap)", expected: "at most half of the tile, \(longer / 2)")
        }
        let axis = { (length: Int, wraps: Bool) in
            // A ring is as long as the picture: what is rounded up on another canvas would be a gap.
            bridge.axis(
                length: wraps ? length : TileAxis.aligned(length, traits.alignment),
                TileCut(
                    window: bridge.overlaps ? window(length, wraps) : tile, isFitted: request.tile == nil,
                    overlap: overlap,
                    alignment: traits.alignment, wraps: wraps))
        }
        let tiles = TilePlan(columns: axis(content.width, x), rows: axis(content.height, y))
        let steps = request.steps.map { Self.proportional($0, best.steps, traits.scales[0].steps) } ?? best.steps

        self.scale = scale
        contentWidth = content.width
        contentHeight = content.height
        self.merging = merging
        self.tiles = tiles
        sampler = request.sampler ?? traits.sampler
        schedule = try .flow(steps: steps, shift: best.shift, start: refines ? best.start : 1)
        guidance = try Guidance(scale: Self.guidance(request.guidance, at: scale, of: traits))
        self.refines = refines
        tileShape = Self.tileShape(of: tiles, attention: request.bridges.contains(.attention), traits: traits)
    }

    private static func quotient(_ dividend: Int, _ divisor: Int) -> Int { (dividend + divisor - 1) / divisor }

    /// `steps` at the full size stand in the same proportion to the best number as at this scale.
    private static func proportional(_ steps: Int, _ best: Int, _ bestAtFullSize: Int) -> Int {
        max(1, Int((Double(steps) * Double(best) / Double(bestAtFullSize)).rounded()))
    }

    /// A requested scale acts where the model guides most, and in proportion elsewhere.
    private static func guidance(_ requested: Double?, at scale: Int, of traits: ModelTraits) -> Double {
        let best = traits.scales[scale].guidance
        guard let requested, let most = traits.scales.map(\.guidance).max(), most > 1 else { return requested ?? best }
        return 1 + (requested - 1) * (best - 1) / (most - 1)
    }

    /// Tokens of all tiles stay within the model's capacity: where there are many tiles, each says less.
    private static func tileShape(of plan: TilePlan, attention: Bool, traits: ModelTraits) -> TileShape {
        let (height, width) = (plan.rows.window, plan.columns.window)
        guard let summary = traits.summary else {
            return TileShape(height: height, width: width, contextTokens: 0, cellsPerToken: 0)
        }
        let smallest = min(height, width)
        var cells = min(summary.granularity, smallest)
        let tokens = { plan.count * (height / cells) * (width / cells) }
        while tokens() > summary.capacity, 2 * cells <= smallest { cells *= 2 }
        return TileShape(
            height: height, width: width, contextTokens: attention && plan.count > 1 ? tokens() : 0,
            cellsPerToken: cells)
    }
}
