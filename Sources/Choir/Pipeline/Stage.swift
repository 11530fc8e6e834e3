public import ChoirSampling
import ChoirTensor

/// One resolution of a painting: a canvas, its tiles, and the noise levels that it goes through.
public struct Stage: Hashable, Sendable {
    /// The index in `ModelTraits.scales`.
    public let scale: Int

    /// Counted from the full size, which is 0, to the coarsest.
    public let rung: Int

    /// Size of the picture at this scale, in cells, before it was rounded up to the canvas.
    public let contentWidth: Int

    /// Size of the picture at this scale, in cells, before it was rounded up to the canvas.
    public let contentHeight: Int

    /// How the canvas is cut.
    public let tiles: TilePlan

    /// Which step rule leads through the schedule.
    public let sampler: SamplerKind

    /// How much noise DDIM adds again, 0 ... 1; 0 for other samplers.
    public let eta: Double

    /// The noise levels.
    public let schedule: Schedule

    /// Scale of guidance.
    public let guidanceScale: Double

    /// How predictions are guided; by 1, not at all, for a model whose network reads the scale.
    public let guidance: Guidance

    /// Whether the stage refines the picture of the stage before.
    public let refines: Bool

    /// What its tiles have in common.
    public let tileShape: TileShape

    /// What its tiles are told.
    let regions: StageRegions

    /// Predictions of the canvas that the sampler asks for.
    public var canvasEvaluations: Int { sampler == .heun ? 2 * schedule.steps - 1 : schedule.steps }

    /// Cells that neighbouring tiles share at least; 0 if the canvas is one tile.
    public var overlap: Int {
        [tiles.columns, tiles.rows].flatMap { axis in
            zip(axis.starts, axis.starts.dropFirst()).map { $0 + axis.window - $1 }
        }.min() ?? 0
    }

    /// Evaluations of the network, over all steps.
    public var evaluations: Int { canvasEvaluations * evaluationsPerStep }

    /// Evaluations of the network for one prediction of the canvas. Tiles that several regions meet may take more than
    /// others.
    public var evaluationsPerStep: Int {
        guard !regions.layout.isPlain else { return tiles.count * (guidance.needsUnconditional ? 2 : 1) }
        return (0..<tiles.count).reduce(0) { $0 + regions.evaluations(in: tiles[$1].window) }
    }

    /// Whether tiles publish before the first prediction: every tile then hears every other in every step.
    public var publishesFirst: Bool { tileShape.contextTokens > 0 }

    /// Whether the sampler keeps a field of the canvas's size between steps.
    var samplerRemembers: Bool { sampler == .dpmpp2m || sampler == .heun }

    /// Whether the sampler takes a field of fresh noise of the canvas's size in some step.
    var samplerTakesNoise: Bool {
        guard let sampler = try? Sampler(sampler, schedule: schedule, eta: eta) else { return false }
        return (0..<sampler.evaluationCount).contains { sampler.update(forEvaluation: $0).takesNoise }
    }

    /// The shape of the canvas.
    func canvasShape(channels: Int) -> Shape { [channels, tiles.rows.length, tiles.columns.length] }
}
