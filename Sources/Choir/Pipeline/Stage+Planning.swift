import ChoirSampling

extension Stage {
    /// Plans one scale of a painting.
    init(scale: Int, refines: Bool, request: PaintRequest, traits: ModelTraits) throws {
        let best = traits.scales[scale]
        let reduction = (0..<scale).reduce(1) { factor, _ in factor * traits.scaleFactor }
        let content = (
            width: Self.quotient(request.size.width, reduction), height: Self.quotient(request.size.height, reduction)
        )
        let tile = request.tile ?? traits.tile
        let overlap = request.bridges.contains(.consensus) ? request.overlap ?? min(traits.overlap, tile / 4) : 0
        let window =
            request.tile
            ?? TileAxis.fittedWindow(
                length: max(content.width, content.height), near: tile, overlap: overlap, alignment: traits.alignment)
        guard overlap <= window / 2 else {
            throw RequestError("overlap", found: "\(overlap)", expected: "at most half of the tile, \(window / 2)")
        }
        let axis = { (length: Int) in
            TileAxis(
                length: Self.quotient(length, traits.alignment) * traits.alignment, window: window, overlap: overlap,
                alignment: traits.alignment)
        }
        let tiles = TilePlan(columns: axis(content.width), rows: axis(content.height))
        let steps = request.steps.map { Self.proportional($0, best.steps, traits.scales[0].steps) } ?? best.steps

        self.scale = scale
        contentWidth = content.width
        contentHeight = content.height
        self.tiles = tiles
        sampler = request.sampler ?? traits.sampler
        schedule = try .flow(steps: steps, shift: best.shift, start: refines ? best.start : 1)
        guidance = try Guidance(scale: Self.guidance(request.guidance, at: scale, of: traits))
        let layout = RegionLayout(request)
        regions = StageRegions(
            layout: layout, request: request,
            guidances: try layout.contents.map {
                try Guidance(scale: Self.guidance($0.guidance ?? request.guidance, at: scale, of: traits))
            }, cell: traits.conditioningCell, pictureWidth: content.width, pictureHeight: content.height)
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
