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
    private let merge: (rows: [[Float]], columns: [[Float]])
    private let attention: (any Bridge)?
    private var sampler: Sampler
    private var state: Tensor
    private var publications: [Tensor]

    init(
        stage: Stage, index: Int, plan: PaintPlan, modules: any ModulePool, concurrentTiles: Int,
        prompter: TilePrompter, coarser: Tensor?, run: RunDirectory?, stored: RunState?, given: Tensor?,
        denoiser: any Denoiser
    ) async throws {
        self.stage = stage
        self.index = index
        self.modules = modules
        self.concurrentTiles = concurrentTiles
        self.prompter = prompter
        self.coarser = coarser
        self.run = run
        noise = Self.noise(of: plan.request, at: stage)
        previewSide = plan.request.previewSide
        traits = denoiser.traits
        codec = denoiser.codec

        let bridges = Self.bridges(of: plan.request)
        merge = (
            rows: Self.mergeWeights(along: stage.tiles.rows, bridges: bridges),
            columns: Self.mergeWeights(along: stage.tiles.columns, bridges: bridges)
        )
        attention = stage.tileShape.contextTokens > 0 ? bridges.first { $0.kind == .attention } : nil
        if let stored {
            sampler = try Sampler(
                stage.sampler, schedule: stage.schedule, eta: stage.eta, evaluation: stored.evaluation,
                memory: stored.memory)
            state = stored.canvas
            publications = stored.publications
        } else {
            sampler = try Sampler(stage.sampler, schedule: stage.schedule, eta: stage.eta)
            state = try await StartingCanvas(
                stage: stage, noise: Self.noise(of: plan.request, at: stage, given: given), traits: traits,
                coarser: coarser.map { .init(canvas: $0, stage: plan.stages[index - 1]) }
            ).make()
            publications = []
        }
    }

    private static func noise(of request: PaintRequest, at stage: Stage, given: Tensor? = nil) -> CanvasNoise {
        CanvasNoise(request, pictureWidth: stage.contentWidth, pictureHeight: stage.contentHeight, given: given)
    }

    private static func bridges(of request: PaintRequest) -> [any Bridge] {
        request.bridges.compactMap { kind in
            switch kind {
            case .consensus: OverlapConsensus()
            case .attention: CrossSpatialAttention()
            case .coarse: nil  // Not a rule between tiles: the stages of the plan.
            }
        }
    }

    /// The weights of the first bridge that merges; tiles that nobody merges keep to their own cells.
    private static func mergeWeights(along axis: TileAxis, bridges: [any Bridge]) -> [[Float]] {
        for bridge in bridges {
            if let weights = bridge.mergeWeights(along: axis) { return weights }
        }
        let edges = [0] + axis.borders + [axis.length]
        return axis.starts.enumerated().map { tile, start in
            (start..<start + axis.window).map { edges[tile] <= $0 && $0 < edges[tile + 1] ? 1 : 0 }
        }
    }

    /// Evaluations of the network that a stored state has behind it.
    var doneEvaluations: Int { stage.evaluationsPerStep * sampler.evaluation }

    /// Canvas evaluations that a stored state has behind it.
    var doneSteps: Int { sampler.evaluation }

    /// Brings the canvas from its level to a clean picture.
    mutating func paint(_ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void) async throws -> Tensor {
        while let level = sampler.nextLevel {
            try Task.checkCancellation()
            let fresh = traits.summary?.freshEvaluations ?? 1
            if stage.publishesFirst, publications.isEmpty || sampler.evaluation < fresh {
                publications = try await publishAll(level)
            }
            let denoised = try await evaluate(level, &progress, send: send)
            sampler.advance(&state, denoised: denoised, noise: sampler.needsNoise ? try await stepNoise() : nil)
            progress.skip(evaluations: 0, steps: 1)
            send(.step(progress.steps, of: progress.stepCount))
            if let previewSide { send(.preview(try await preview(of: denoised, side: previewSide))) }
        }
        return state
    }

    /// What the sampler adds in its next step: a function of the step and the cell alone.
    private func stepNoise() async throws -> Tensor {
        let (noise, channels, width) = (noise, traits.channels, state.width)
        let draw = NoiseDraw.step(evaluation: sampler.evaluation, rung: stage.rung)
        return try await Tensor.madeInBands(shape: state.shape) { rows in
            noise.normal(
                region: Region(x: 0, y: rows.lowerBound, width: width, height: rows.count), channels: channels,
                draw: draw)
        }
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
        let denoised = try await predictAll(level, &progress, send: send)
        _ = try await committed
        return denoised
    }

    /// What each tile publishes at a level, before any has heard another.
    private mutating func publishAll(_ level: NoiseLevel) async throws -> [Tensor] {
        var published = [Tensor](repeating: Tensor(shape: [0]), count: stage.tiles.count)
        let (modules, prompter) = (modules, prompter)
        let input = inputs(at: level, context: nil)
        try await inOrder(stage.tiles.tiles) { tile in
            try await prompter.publish(input(tile), in: tile.window, by: modules)
        } each: { index, publication in
            published[index] = publication.tokens
            networkSeconds += publication.networkSeconds
        }
        return published
    }

    private mutating func predictAll(
        _ level: NoiseLevel, _ progress: inout PaintProgress, send: @Sendable (PaintEvent) -> Void
    ) async throws -> Tensor {
        let (modules, prompter) = (modules, prompter)
        let input = inputs(at: level, context: attention?.context(from: publications))
        var denoised = Tensor(shape: state.shape)
        var published: [Tensor] = []
        try await inOrder(stage.tiles.tiles) { tile in
            try await prompter.predict(input(tile), in: tile.window, by: modules)
        } each: { index, prediction in
            let tile = stage.tiles[index]
            denoised.accumulate(
                prediction.clean, x: tile.window.x, y: tile.window.y,
                rowWeights: merge.rows[index / stage.tiles.columns.starts.count],
                columnWeights: merge.columns[index % stage.tiles.columns.starts.count])
            if let publication = prediction.publication { published.append(publication) }
            networkSeconds += prediction.networkSeconds
            progress.skip(evaluations: prompter.regions.evaluations(in: tile.window), steps: 0)
            send(.tile(done: progress.evaluations, count: progress.evaluationCount))
        }
        if attention != nil { publications = published }
        return denoised
    }

    /// How the input of any tile is made at one level.
    private func inputs(at level: NoiseLevel, context: Tensor?) -> @Sendable (Tile) -> TileInput {
        let (state, scale, factor) = (state, stage.scale, traits.scaleFactor)
        let embedding = prompter.embedding(0)
        let coarser = traits.seesCoarser ? coarser : nil
        let tiles = context == nil ? nil : stage.tiles
        let guidanceScale = stage.guidanceScale
        let picture = Region(x: 0, y: 0, width: stage.contentWidth, height: stage.contentHeight)
        return { tile in
            let window = tile.window
            let below = Region(
                x: window.x / factor, y: window.y / factor, width: window.width / factor, height: window.height / factor
            )
            return TileInput(
                noisy: state.copy(region: window), coarse: coarser?.copy(region: below), window: window,
                picture: picture, level: level, scale: scale, embedding: embedding, guidanceScale: guidanceScale,
                context: context, contextTiles: tiles)
        }
    }

    /// Runs `body` for all tiles, some at a time, and `each` with the results in the tiles' order.
    private func inOrder<Result: Sendable>(
        _ tiles: [Tile], body: @escaping @Sendable (Tile) async throws -> Result,
        each: (Int, Result) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var waiting: [Int: Result] = [:]
            var started = 0
            var finished = 0
            func start() {
                guard started < tiles.count else { return }
                let tile = tiles[started]
                started += 1
                group.addTask { (tile.index, try await body(tile)) }
            }
            for _ in 0..<concurrentTiles { start() }
            while let (index, result) = try await group.next() {
                waiting[index] = result
                start()
                while let next = waiting.removeValue(forKey: finished) {
                    each(finished, next)
                    finished += 1
                }
            }
        }
    }
}
