import ChoirSampling

extension Stage {
    /// Plans one size of a painting: one stage, or two if a refiner takes over within its steps.
    static func stages(
        rung: Int, of ladder: Ladder, request: PaintRequest, traits: ModelTraits, refiner: ModelTraits?
    ) throws -> [Stage] {
        let whole = try Stage(rung: rung, of: ladder, request: request, traits: traits)
        guard let refiner else { return [whole] }
        var traits = traits
        // Both look at the same tiles.
        traits.alignment = max(traits.alignment, refiner.alignment)
        var expert = traits
        (expert.name, expert.summary) = (refiner.name, refiner.summary)
        let count = traits.noise.steps(of: whole.schedule, before: request.handOver ?? PaintRequest.usualHandOver)
        return try [(traits, 0..<count, false), (expert, count..<whole.schedule.steps, true)]
            .filter { !$0.1.isEmpty }
            .map {
                try Stage(rung: rung, of: ladder, request: request, traits: $0.0, steps: $0.1, belongsToRefiner: $0.2)
            }
    }

    /// Plans one size of a painting, or some of its steps.
    ///
    /// - Parameters:
    ///   - steps: Which of its steps; nil for all.
    ///   - belongsToRefiner: Whether the refiner takes them.
    init(
        rung: Int, of ladder: Ladder, request: PaintRequest, traits: ModelTraits, steps part: Range<Int>? = nil,
        belongsToRefiner: Bool = false
    ) throws {
        let size = ladder.rungs[rung]
        let refines = rung < ladder.rungs.count - 1
        let scale = traits.scales[size.scale]
        let best = scale.settings(refining: refines)
        let cells = { (pixels: Int) in Self.quotient(pixels, traits.pixelsPerCell) }
        let merging = request.merging
        let bridge = merging.bridge()
        let tile = request.tile.map(cells) ?? traits.tile
        let overlap = bridge.overlaps ? request.overlap.map(cells) ?? min(traits.overlap, tile / 4) : 0
        let (x, y) = (request.wraps(.x), request.wraps(.y))
        let longer = max(size.width, size.height)
        let fitted = { (length: Int, wraps: Bool) in
            let shared = wraps ? overlap : 0
            guard !traits.fixesTile else { return tile }
            guard !size.isOneTile else { return max(length + shared, tile) }
            return request.tile.map(cells)
                ?? TileAxis.fittedWindow(
                    length: length, near: tile, overlap: overlap, alignment: traits.alignment, wraps: wraps)
        }
        let window = overlap < tile ? fitted(longer, false) : tile
        guard overlap + traits.alignment <= window else {
            let (found, most) = (overlap * traits.pixelsPerCell, (window - traits.alignment) * traits.pixelsPerCell)
            throw RequestError("overlap", found: "\(found)", expected: "less than the tile, at most \(most)")
        }
        let axis = { (length: Int, wraps: Bool) -> TileAxis in
            let least = traits.fixesTile ? tile : 0
            // A ring is as long as the picture: what is rounded up on another canvas would be a gap. And it takes other
            // windows than an axis that ends.
            return bridge.axis(
                length: wraps ? length : TileAxis.aligned(max(length, least), traits.alignment),
                TileCut(
                    window: !bridge.overlaps && !size.isOneTile ? tile : x || y ? fitted(length, wraps) : window,
                    isFitted: request.tile == nil, overlap: overlap, alignment: traits.alignment, wraps: wraps))
        }
        let tiles = TilePlan(columns: axis(size.width, x), rows: axis(size.height, y))
        if traits.fixesTile, tiles.columns.window != tile || tiles.rows.window != tile {
            throw RequestError(
                "size", found: "tiles of \(tiles.columns.window) x \(tiles.rows.window) cells",
                expected: "a tileable picture large enough for \(tile) x \(tile), the only size of \(traits.name)")
        }
        self.scale = size.scale
        self.rung = rung
        contentWidth = size.width
        contentHeight = size.height
        self.merging = merging
        self.tiles = tiles
        sampler = request.sampler ?? best.sampler
        eta = request.eta ?? 0
        // What is composed larger than the model's own tile needs more steps at high noise, where its large forms are
        // decided: the equation that `Schedule.flow` cites, with the sides of the picture and of that tile.
        let larger = refines ? 1 : max(1, Double(size.width * size.height).squareRoot() / Double(traits.tile))
        let whole = try traits.noise.schedule(
            steps: traits.steps(request.steps, best: best.steps, scale: size.scale), sampler: sampler,
            spacing: request.spacing, start: refines ? scale.start : 1, shift: best.shift * larger)
        schedule = try part.map { try whole.part($0) } ?? whole
        self.belongsToRefiner = belongsToRefiner
        stepsBefore = part?.lowerBound ?? 0
        stepsAtSize = whole.steps
        regions = try StageRegions(
            request: request, traits: traits, pictureWidth: size.width, pictureHeight: size.height
        ) { traits.guidance($0, best: best.guidance) }
        guidanceScale = traits.guidance(request.guidance, best: best.guidance)
        guidance = try Guidance(scale: traits.readsGuidance ? 1 : guidanceScale)
        self.refines = refines
        let strength = request.skipResidual ?? (traits.seesCoarser ? 0 : 1)
        residual = refines && strength > 0 ? SkipResidual(strength: strength, start: scale.start) : nil
        views = refines && request.bridges.contains(.dilated) ? DilatedViews(tiles, start: scale.start) : nil
        pooling = ladder.pooling(of: rung, traits: traits)
        tileShape = Self.tileShape(
            of: tiles, attention: request.bridges.contains(.attention), traits: traits,
            hasPromptPerSquare: traits.conditioningCell != nil && !regions.layout.isPlain)
        _ = try Sampler(sampler, schedule: schedule, eta: eta)
    }

    private static func quotient(_ dividend: Int, _ divisor: Int) -> Int { (dividend + divisor - 1) / divisor }

    /// Tokens of all tiles stay within the model's capacity: where there are many tiles, each says less.
    private static func tileShape(
        of plan: TilePlan, attention: Bool, traits: ModelTraits, hasPromptPerSquare: Bool
    ) -> TileShape {
        let (height, width) = (plan.rows.window, plan.columns.window)
        guard let summary = traits.summary else {
            return TileShape(
                height: height, width: width, contextTokens: 0, cellsPerToken: 0,
                hasPromptPerSquare: hasPromptPerSquare)
        }
        let smallest = min(height, width)
        var cells = min(summary.granularity, smallest)
        let fits = { (cells: Int) in
            cells <= smallest && (!summary.dividesTiles || height % cells == 0 && width % cells == 0)
        }
        let tokens = { plan.count * (height / cells) * (width / cells) }
        while tokens() > summary.capacity, fits(2 * cells) { cells *= 2 }
        return TileShape(
            height: height, width: width, contextTokens: attention && plan.count > 1 ? tokens() : 0,
            cellsPerToken: cells, hasPromptPerSquare: hasPromptPerSquare)
    }
}
