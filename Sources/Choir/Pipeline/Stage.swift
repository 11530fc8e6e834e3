public import ChoirSampling
import ChoirTensor

/// One resolution of a painting: a canvas, its tiles, and the noise levels that it goes through; or those of them that
/// one of two networks paints.
public struct Stage: Hashable, Sendable {
    /// The index in `ModelTraits.scales`.
    public let scale: Int

    /// Counted from the full size, which is 0, to the coarsest.
    public let rung: Int

    /// Size of the picture at this scale, in cells, before it was rounded up to the canvas.
    public let contentWidth: Int

    /// Size of the picture at this scale, in cells, before it was rounded up to the canvas.
    public let contentHeight: Int

    /// The rule by which predictions of tiles become one canvas.
    public let merging: BridgeKind

    /// How the canvas is cut; where a rule moves tiles, `tiles(at:)` says how far.
    public let tiles: TilePlan

    /// Which step rule leads through the schedule.
    public let sampler: SamplerKind

    /// How much noise DDIM adds again, 0 ... 1; 0 for other samplers.
    public let eta: Double

    /// The noise levels.
    public let schedule: Schedule

    /// Whether the model's refiner paints it.
    public let belongsToRefiner: Bool

    /// Steps at this size that the stage before has done. If there are any, the stage goes on with its canvas.
    public let stepsBefore: Int

    /// All steps at this size, of this stage and of the one before or after it.
    public let stepsAtSize: Int

    /// Whether the stage goes on with the canvas of the stage before as it is.
    public var continues: Bool { stepsBefore > 0 }

    /// Whether it composes a picture that finer sizes refine.
    var isForFiner: Bool { !refines && rung > 0 }

    /// Scale of guidance.
    public let guidanceScale: Double

    /// How predictions are guided; by 1, not at all, for a model whose network reads the scale.
    public let guidance: Guidance

    /// Whether the stage refines the picture of the stage before.
    public let refines: Bool

    /// What holds the canvas near the picture that it refines; nil for nothing.
    let residual: SkipResidual?

    /// Views of the whole canvas that lead it; nil for none.
    let views: DilatedViews?

    /// Cells along a side of its picture that the tiles of the next size see as one.
    let pooling: Int

    /// What its tiles have in common.
    public let tileShape: TileShape

    /// What its tiles are told.
    let regions: StageRegions

    /// Predictions of the canvas that the sampler asks for.
    public var canvasEvaluations: Int { sampler == .heun ? 2 * schedule.steps - 1 : schedule.steps }

    /// Cells that neighbouring tiles share at least; 0 if the canvas is one tile, or the rule is without overlaps.
    public var overlap: Int {
        guard merging.bridge().overlaps else { return 0 }
        return [tiles.columns, tiles.rows].flatMap { axis in
            axis.starts.indices.compactMap { index in
                axis.start(after: index).map { axis.starts[index] + axis.window - $0 }
            }
        }.min() ?? 0
    }

    /// Evaluations of the network, over all steps.
    public var evaluations: Int { evaluationCounts.reduce(0, +) }

    /// Evaluations of the network for each prediction of the canvas: of tiles and views, twice with guidance. Those that
    /// several regions meet may take more than others; where a rule moves tiles, predictions differ.
    public var evaluationCounts: [Int] {
        guard !regions.layout.isPlain else {
            let each = (tiles.count + (views?.count ?? 0)) * (guidance.needsUnconditional ? 2 : 1)
            return Array(repeating: each, count: canvasEvaluations)
        }
        let viewed = (0..<(views?.count ?? 0)).reduce(0) { count, index in
            count + (views.map { regions.evaluations(in: $0.cells(index)) } ?? 0)
        }
        var known: [TilePlan: Int] = [:]
        return (0..<canvasEvaluations).map { evaluation in
            let plan = tiles(at: evaluation)
            if let count = known[plan] { return count }
            let count = (0..<plan.count).reduce(viewed) { $0 + regions.evaluations(in: SeenCells(plan[$1].window)) }
            known[plan] = count
            return count
        }
    }

    /// Whether one compiled network serves another stage as well.
    func sharesNetwork(with other: Stage) -> Bool {
        tileShape == other.tileShape && belongsToRefiner == other.belongsToRefiner
    }

    /// Whether tiles publish before the first prediction: every tile then hears every other in every step.
    public var publishesFirst: Bool { tileShape.contextTokens > 0 }

    /// The share of the steps at this size that are done before a step of this stage.
    func done(beforeStep step: Int) -> Double { Double(stepsBefore + step) / Double(stepsAtSize) }

    /// Whether the sampler keeps a field of the canvas's size between steps.
    var samplerRemembers: Bool { sampler == .dpmpp2m || sampler == .heun }

    /// How the canvas is cut in an evaluation, 0 ..< `canvasEvaluations`.
    public func tiles(at evaluation: Int) -> TilePlan { merging.bridge().move(tiles, at: evaluation) }

    /// How the canvas was cut when its last prediction was made: the borders that a picture can show.
    public var lastTiles: TilePlan { tiles(at: canvasEvaluations - 1) }

    /// The sheet that the state is, where each tile keeps its own; nil where the state is a canvas.
    var sheet: TileSheet? { merging.bridge().sharesCanvas ? nil : TileSheet(plan: tiles) }

    /// The shape of the state, a canvas or a sheet.
    func stateShape(channels: Int) -> Shape {
        sheet?.shape(channels: channels) ?? canvasShape(channels: channels)
    }

    /// Whether the sampler takes a field of fresh noise of the canvas's size in some step.
    var samplerTakesNoise: Bool {
        guard let sampler = try? Sampler(sampler, schedule: schedule, eta: eta) else { return false }
        return (0..<sampler.evaluationCount).contains { sampler.update(forEvaluation: $0).takesNoise }
    }

    /// The shape of the canvas.
    func canvasShape(channels: Int) -> Shape { [channels, tiles.rows.length, tiles.columns.length] }

    /// The shape of what the next size is given of it.
    func shapeForFiner(channels: Int) -> Shape {
        [channels, tiles.rows.length / pooling, tiles.columns.length / pooling]
    }
}
