import ChoirSampling
import ChoirTensor

/// The loop of one stage: context out, tiles denoised in parallel, predictions merged in order, one sampler step.
struct StagePainter {
    let stage: Stage
    let index: Int
    let modules: any ModulePool
    let concurrentTiles: Int
    let prompter: TilePrompter
    let coarser: Tensor?
    let run: RunDirectory?
    let previewSide: Int?
    let traits: ModelTraits
    let codec: (any LatentCodec)?

    private(set) var networkSeconds = 0.0
    private let noise: CanvasNoise
    private let start: StartingCanvas
    private let merging: any Bridge
    private let attention: (any Bridge)?
    private let sketch: CanvasSketch?
    private var sampler: Sampler
    /// The canvas, or the sheet of tiles, as the sampler has it.
    private(set) var state: Tensor
    private var publications: [Tensor]
    /// Where the tiles were when they published.
    private var publishedTiles: TilePlan
    private var disagreement: Double?
    private var isHeld: Bool

    init(
        stage: Stage, index: Int, plan: PaintPlan, modules: any ModulePool, concurrentTiles: Int,
        prompter: TilePrompter, coarser: Tensor?, run: RunDirectory?, stored: RunState?, given: Tensor?,
        continued: Tensor?, traits: ModelTraits, codec: (any LatentCodec)?, forms: LearnedForms?
    ) async throws {
        self.stage = stage
        self.index = index
        self.modules = modules
        self.concurrentTiles = concurrentTiles
        self.prompter = prompter
        self.coarser = coarser
        self.run = run
        let content = (width: stage.contentWidth, height: stage.contentHeight)
        noise = CanvasNoise(plan.request, pictureWidth: content.width, pictureHeight: content.height)
        previewSide = plan.request.previewSide
        self.traits = traits
        self.codec = codec

        start = StartingCanvas(
            stage: stage,
            noise: CanvasNoise(
                plan.request, pictureWidth: content.width, pictureHeight: content.height, given: given),
            traits: traits,
            coarser: coarser.flatMap { canvas in
                plan.refined(by: index).map { .init(canvas: canvas, stage: $0) }
            })
        sketch =
            stage.isForFiner
            ? forms.flatMap {
                CanvasSketch(
                    stage, of: plan.request, forms: $0, channels: traits.channels, embedding: prompter.embedding)
            } : nil
        isHeld = stored != nil
        publishedTiles = stage.tiles(at: max(0, (stored?.evaluation ?? 0) - 1))
        merging = stage.merging.bridge(weights: plan.request.weights ?? .hann)
        attention = stage.tileShape.contextTokens > 0 ? CrossSpatialAttention() : nil
        if let stored {
            sampler = try Sampler(
                stage.sampler, schedule: stage.schedule, eta: stage.eta, evaluation: stored.evaluation,
                memory: stored.memory)
            state = stored.canvas
            publications = stored.publications
        } else {
            sampler = try Sampler(stage.sampler, schedule: stage.schedule, eta: stage.eta)
            if let continued {
                state = continued
            } else {
                let canvas = try await start.make()
                state = stage.sheet?.cut(canvas) ?? canvas
            }
            publications = []
        }
    }

    /// Evaluations of the network that a stored state has behind it.
    var doneEvaluations: Int { stage.evaluationCounts.prefix(sampler.evaluation).reduce(0, +) }

    /// Canvas evaluations that a stored state has behind it.
    var doneSteps: Int { sampler.evaluation }

    /// Brings the canvas from its level to a clean picture.
    mutating func paint(_ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void) async throws -> Tensor {
        while let level = sampler.nextLevel {
            try Task.checkCancellation()
            // A state is stored after it was drawn.
            if !isHeld { try await hold(at: level) }
            isHeld = false
            let fresh = traits.summary?.freshEvaluations ?? 1
            if stage.publishesFirst, publications.isEmpty || sampler.evaluation < fresh {
                publications = try await publishAll(level)
            }
            let denoised = try await evaluate(level, &progress, send: send)
            sampler.advance(&state, denoised: denoised, noise: sampler.needsNoise ? try await stepNoise() : nil)
            progress.skip(evaluations: 0, steps: 1)
            send(.step(progress.steps, of: progress.stepCount))
            if let disagreement { send(.disagreement(disagreement, step: progress.steps)) }
            if let previewSide { send(.preview(try await preview(of: stitched(denoised), side: previewSide))) }
        }
        return stitched(state)
    }

    /// Draws the canvas towards the picture that it refines, before a step.
    private mutating func hold(at level: NoiseLevel) async throws {
        let step = sampler.step(forEvaluation: sampler.evaluation)
        guard let residual = stage.residual,
            sampler.evaluation == 0 || sampler.step(forEvaluation: sampler.evaluation - 1) != step
        else { return }
        let share = residual.share(done: stage.done(beforeStep: step))
        let noised = try await start.make(at: level)
        state = state.lerp(to: stage.sheet?.cut(noised) ?? noised, fraction: Float(share))
    }

    /// The canvas that a field of the state's shape stands for.
    private func stitched(_ field: Tensor) -> Tensor { stage.sheet?.stitch(field) ?? field }

    /// What the sampler adds in its next step: a function of the step and the cell alone.
    private func stepNoise() async throws -> Tensor {
        let canvas = stage.canvasShape(channels: traits.channels)
        let (source, channels, width) = (noise, traits.channels, stage.tiles.columns.length)
        // Samplers that take noise evaluate once a step.
        let draw = NoiseDraw.step(evaluation: stage.stepsBefore + sampler.evaluation, rung: stage.rung)
        let noise = try await Tensor.madeInBands(shape: canvas) { rows in
            source.normal(
                region: Region(x: 0, y: rows.lowerBound, width: width, height: rows.count), channels: channels,
                draw: draw)
        }
        return stage.sheet?.cut(noise) ?? noise
    }

    private func preview(of denoised: Tensor, side: Int) async throws -> Tensor {
        guard let codec else { return denoised.reduced(toFit: side) }
        return try await codec.preview(of: denoised.reduced(toFit: max(1, side / codec.pixelsPerCell)))
    }

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
        var denoised = try await predictAll(level, &progress, send: send)
        if let views = stage.views { try await lead(&denoised, by: views, level, &progress, send: send) }
        sketch?.lead(&denoised, at: level)
        _ = try await committed
        return denoised
    }

    /// What each tile publishes at a level, before any has heard another.
    private mutating func publishAll(_ level: NoiseLevel) async throws -> [Tensor] {
        var published = [Tensor](repeating: Tensor(shape: [0]), count: stage.tiles.count)
        let (modules, prompter) = (modules, prompter)
        let plan = merging.move(stage.tiles, at: sampler.evaluation)
        let input = inputs(at: level, of: plan, context: nil)
        try await inOrder(plan.tiles, atATime: concurrentTiles) { tile in
            try await prompter.publish(input(tile), in: SeenCells(tile.window), by: modules)
        } each: { index, publication in
            published[index] = publication.tokens
            networkSeconds += publication.networkSeconds
        }
        publishedTiles = plan
        return published
    }

    private mutating func predictAll(
        _ level: NoiseLevel, _ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void
    ) async throws -> Tensor {
        let (modules, prompter) = (modules, prompter)
        let plan = merging.move(stage.tiles, at: sampler.evaluation)
        let input = inputs(at: level, of: plan, context: attention?.context(from: publications))
        var merger = TileMerger(bridge: merging, plan: plan, sheet: stage.sheet, shape: state.shape)
        var published: [Tensor] = []
        try await inOrder(plan.tiles, atATime: concurrentTiles) { tile in
            try await prompter.predict(input(tile), in: SeenCells(tile.window), by: modules)
        } each: { index, prediction in
            merger.add(prediction.clean, of: plan[index])
            if let publication = prediction.publication { published.append(publication) }
            networkSeconds += prediction.networkSeconds
            progress.skip(evaluations: prompter.regions.evaluations(in: SeenCells(plan[index].window)), steps: 0)
            send(.tile(done: progress.evaluations, count: progress.evaluationCount))
        }
        if attention != nil { (publications, publishedTiles) = (published, plan) }
        disagreement = merger.disagreement
        return merger.denoised
    }

    /// Mixes what views of the whole canvas predict into what tiles did.
    private mutating func lead(
        _ denoised: inout Tensor, by views: DilatedViews, _ level: NoiseLevel, _ progress: inout PaintProgress,
        send: @Sendable (PaintEvent) -> Void
    ) async throws {
        let share = views.share(done: stage.done(beforeStep: sampler.step(forEvaluation: sampler.evaluation)))
        let blurred = views.blurred(stitched(state), share: share)
        let (modules, prompter, embedding) = (modules, prompter, prompter.embedding(0))
        let (scale, guidanceScale) = (stage.scale, stage.guidanceScale)
        let plan = merging.move(stage.tiles, at: sampler.evaluation)
        let context = attention?.context(from: publications)
        let picture = Region(x: 0, y: 0, width: stage.contentWidth, height: stage.contentHeight)
        var global = Tensor(shape: blurred.shape)
        try await inOrder(Array(0..<views.count), atATime: concurrentTiles) { index in
            let input = TileInput(
                noisy: views.view(index, of: blurred), coarse: nil, window: picture, picture: picture, level: level,
                scale: scale, embedding: embedding, guidanceScale: guidanceScale, context: context,
                contextTiles: context == nil ? nil : plan)
            return try await prompter.predict(input, in: views.cells(index), by: modules)
        } each: { index, prediction in
            views.write(prediction.clean, index, to: &global)
            networkSeconds += prediction.networkSeconds
            progress.skip(evaluations: prompter.regions.evaluations(in: views.cells(index)), steps: 0)
            send(.tile(done: progress.evaluations, count: progress.evaluationCount))
        }
        denoised = denoised.lerp(to: stage.sheet?.cut(global) ?? global, fraction: Float(share))
    }

    /// How the input of any tile is made at one level.
    private func inputs(at level: NoiseLevel, of plan: TilePlan, context: Tensor?) -> @Sendable (Tile) -> TileInput {
        let (state, scale, factor) = (state, stage.scale, traits.scaleFactor)
        let embedding = prompter.embedding(0)
        let coarser = traits.seesCoarser ? coarser : nil
        let (sheet, border) = (stage.sheet, plan.border)
        let tiles = context == nil ? nil : publishedTiles
        let guidanceScale = stage.guidanceScale
        let picture = Region(x: 0, y: 0, width: stage.contentWidth, height: stage.contentHeight)
        return { tile in
            let window = tile.window
            let below = Region(
                x: window.x / factor, y: window.y / factor, width: window.width / factor, height: window.height / factor
            )
            return TileInput(
                noisy: state.copy(region: sheet?.window(of: tile) ?? window, border: border),
                coarse: coarser?.copy(region: below, border: border), window: window, picture: picture, level: level,
                scale: scale, embedding: embedding, guidanceScale: guidanceScale, context: context,
                contextTiles: tiles, contextIndex: tiles == nil ? nil : tile.index)
        }
    }
}
