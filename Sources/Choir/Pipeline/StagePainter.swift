import ChoirSampling
import ChoirTensor

/// The loop of one stage: context out, tiles denoised in parallel, predictions merged in order, one sampler step.
struct StagePainter {
    let stage: Stage
    let index: Int
    let modules: any ModulePool
    let concurrentTiles: Int
    let embedding: Tensor
    let negative: Tensor
    let coarser: Tensor?
    let run: RunDirectory?
    let previewSide: Int?
    let scaleFactor: Int

    private(set) var networkSeconds = 0.0
    private let merging: any Bridge
    private let attention: (any Bridge)?
    private var sampler: Sampler
    private var state: Tensor
    private var publications: [Tensor]
    private var disagreement: Double?

    init(
        stage: Stage, index: Int, plan: PaintPlan, modules: any ModulePool, concurrentTiles: Int, embedding: Tensor,
        negative: Tensor, coarser: Tensor?, run: RunDirectory?, stored: RunState?, traits: ModelTraits
    ) async throws {
        self.stage = stage
        self.index = index
        self.modules = modules
        self.concurrentTiles = concurrentTiles
        self.embedding = embedding
        self.negative = negative
        self.coarser = coarser
        self.run = run
        previewSide = plan.request.previewSide
        scaleFactor = traits.scaleFactor

        merging = stage.merging.bridge(weights: plan.request.weights ?? .hann)
        attention = stage.tileShape.contextTokens > 0 ? CrossSpatialAttention() : nil
        if let stored {
            sampler = try Sampler(
                stage.sampler, schedule: stage.schedule, evaluation: stored.evaluation, memory: stored.memory)
            state = stored.canvas
            publications = stored.publications
        } else {
            sampler = try Sampler(stage.sampler, schedule: stage.schedule)
            let canvas = try await StartingCanvas(
                stage: stage, seed: plan.request.seed, channels: traits.channels, coarser: coarser,
                scaleFactor: traits.scaleFactor
            ).make()
            state = stage.sheet?.cut(canvas) ?? canvas
            publications = []
        }
    }

    /// Evaluations of the network that a stored state has behind it.
    var doneEvaluations: Int { stage.evaluations / stage.canvasEvaluations * sampler.evaluation }

    /// Canvas evaluations that a stored state has behind it.
    var doneSteps: Int { sampler.evaluation }

    /// Brings the canvas from its level to a clean picture.
    mutating func paint(_ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void) async throws -> Tensor {
        while let level = sampler.nextLevel {
            try Task.checkCancellation()
            if stage.publishesFirst, publications.isEmpty {
                publications = try await publishAll(level)
            }
            let denoised = try await evaluate(level, &progress, send: send)
            sampler.advance(&state, denoised: denoised)
            progress.skip(evaluations: 0, steps: 1)
            send(.step(progress.steps, of: progress.stepCount))
            if let disagreement { send(.disagreement(disagreement, step: progress.steps)) }
            if let previewSide { send(.preview(stitched(denoised).reduced(toFit: previewSide))) }
        }
        return stitched(state)
    }

    /// The canvas that a field of the state's shape stands for.
    private func stitched(_ field: Tensor) -> Tensor { stage.sheet?.stitch(field) ?? field }

    private var runState: RunState {
        RunState(
            stage: index, evaluation: sampler.evaluation, canvas: state, memory: sampler.memory,
            publications: publications, coarser: coarser)
    }

    /// One prediction of the whole canvas. The state before it is stored while the tiles are denoised.
    private mutating func evaluate(
        _ level: NoiseLevel, _ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void
    ) async throws -> Tensor {
        async let committed: Void? = run?.commit(runState)
        let denoised = try await predictAll(level, &progress, send: send)
        _ = try await committed
        return denoised
    }

    /// What each tile publishes at a level, before any has heard another.
    private mutating func publishAll(_ level: NoiseLevel) async throws -> [Tensor] {
        var published = [Tensor](repeating: Tensor(shape: [0]), count: stage.tiles.count)
        let modules = modules
        let plan = merging.move(stage.tiles, at: sampler.evaluation)
        let input = inputs(at: level, context: nil, border: plan.border)
        try await inOrder(plan.tiles, atATime: concurrentTiles) { tile in
            try await modules.publish(input(tile))
        } each: { index, publication in
            published[index] = publication.tokens
            networkSeconds += publication.networkSeconds
        }
        return published
    }

    private mutating func predictAll(
        _ level: NoiseLevel, _ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void
    ) async throws -> Tensor {
        let (modules, guidance, negative) = (modules, stage.guidance, negative)
        let plan = merging.move(stage.tiles, at: sampler.evaluation)
        let input = inputs(at: level, context: attention?.context(from: publications), border: plan.border)
        var merger = TileMerger(bridge: merging, plan: plan, sheet: stage.sheet, shape: state.shape)
        var published: [Tensor] = []
        let perTile = guidance.needsUnconditional ? 2 : 1
        try await inOrder(plan.tiles, atATime: concurrentTiles) { tile in
            let conditional = input(tile)
            guard guidance.needsUnconditional else { return try await modules.predict(conditional) }
            var unconditional = conditional
            unconditional.embedding = negative
            // Side by side, so that a canvas of a single tile keeps two modules busy.
            async let other = modules.predict(unconditional)
            var prediction = try await modules.predict(conditional)
            guidance.guide(&prediction.clean, unconditional: try await other.clean)
            prediction.networkSeconds += try await other.networkSeconds
            return prediction
        } each: { index, prediction in
            merger.add(prediction.clean, of: plan[index])
            if let publication = prediction.publication { published.append(publication) }
            networkSeconds += prediction.networkSeconds
            progress.skip(evaluations: perTile, steps: 0)
            send(.tile(done: progress.evaluations, count: progress.evaluationCount))
        }
        if attention != nil { publications = published }
        disagreement = merger.disagreement
        return merger.denoised
    }

    /// How the input of any tile is made at one level.
    private func inputs(
        at level: NoiseLevel, context: Tensor?, border: BorderMode
    ) -> @Sendable (Tile) -> TileInput {
        let (state, coarser, embedding, scale, factor) = (state, coarser, embedding, stage.scale, scaleFactor)
        let sheet = stage.sheet
        return { tile in
            let window = tile.window
            let below = Region(
                x: window.x / factor, y: window.y / factor, width: window.width / factor, height: window.height / factor
            )
            return TileInput(
                noisy: state.copy(region: sheet?.window(of: tile) ?? window, border: border),
                coarse: coarser?.copy(region: below, border: border), level: level, scale: scale,
                embedding: embedding, context: context)
        }
    }
}
