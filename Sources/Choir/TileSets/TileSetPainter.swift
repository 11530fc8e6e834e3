import ChoirSampling
public import ChoirTensor

extension ParallelDiffusionPipeline {
    /// What painting a set would do. Runs nothing.
    public func plan(_ request: TileSetRequest) throws -> TileSetPlan {
        try TileSetPlan(request: request, traits: denoiser.traits)
    }

    /// Paints a set of pictures whose sides match, all at the same time.
    ///
    /// The same request gives the same pictures for any number of modules, bit for bit. A set is not kept in a run
    /// directory: cancelling the task loses it.
    ///
    /// - Parameters:
    ///   - request: What to paint.
    ///   - progress: Is told the evaluations that are done, and how many there are in all.
    /// - Returns: For each picture, `[channels, height, width]`, in -1 ... 1.
    public func paint(
        _ request: TileSetRequest, progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> [Tensor] {
        let plan = try plan(request)
        let texts = Set(request.images.flatMap { [$0.prompt, $0.negativePrompt] }).sorted()
        let embeddings = Dictionary(
            uniqueKeysWithValues: zip(texts, try await denoiser.embeddings(of: texts, clipSkip: nil)))
        let prompts = request.images.compactMap { image in
            embeddings[image.prompt].flatMap { prompt in embeddings[image.negativePrompt].map { (prompt, $0) } }
        }
        precondition(prompts.count == request.images.count, "a model embeds every prompt")
        var done = 0
        var coarser: (stage: TileSetPlan.Stage, states: [Tensor])?
        for stage in plan.stages {
            let count = min(modules, request.images.count * stage.perStep)
            let pool = try await denoiser.modules(for: stage.tileShape, embedding: prompts[0].0.shape, count: count)
            let painter = TileSetPainter(
                stage: stage, plan: plan, modules: pool, concurrentTiles: count, prompts: prompts, coarser: coarser,
                traits: denoiser.traits, forms: denoiser.forms)
            let states = try await painter.paint {
                done += stage.perStep
                progress(done, plan.evaluations)
            }
            coarser = (stage, states)
        }
        guard let coarser else { preconditionFailure("a plan has at least one stage") }
        var pictures = coarser.states.map { $0.copy(region: coarser.stage.frame.picture) }
        if let codec = denoiser.codec {
            for index in pictures.indices { pictures[index] = try await codec.decoded(pictures[index]) }
        }
        return pictures
    }
}

/// One scale of a set: the sides exchange, every picture is denoised alone and takes a step.
struct TileSetPainter {
    let stage: TileSetPlan.Stage
    let plan: TileSetPlan
    let modules: any ModulePool
    let concurrentTiles: Int
    /// What each picture shows, and what guidance leads away from.
    let prompts: [(positive: Tensor, negative: Tensor)]
    let coarser: (stage: TileSetPlan.Stage, states: [Tensor])?
    let traits: ModelTraits
    let forms: LearnedForms?

    func paint(each: () -> Void) async throws -> [Tensor] {
        let exchange = SideExchange(joins: plan.joins, frame: stage.frame, strip: stage.strip)
        let below = coarseTiles()
        var states = start(over: below, noises: noises(NoiseDraw.start(rung: stage.rung), sharedBy: exchange))
        var samplers = try states.map { _ in try Sampler(stage.sampler, schedule: stage.schedule) }
        let (modules, prompts, guidance, scale) = (modules, prompts, stage.guidance, stage.scale)
        let sketches = sketches()
        while let level = samplers[0].nextLevel {
            try Task.checkCancellation()
            let evaluation = samplers[0].evaluation
            exchange.fillPaddings(&states, evaluation: evaluation)
            let tiles = states.enumerated().map { index, state in
                TileInput(
                    noisy: state, coarse: below?[index], level: level, scale: scale, embedding: prompts[index].positive,
                    context: nil)
            }
            var predictions: [Tensor] = []
            try await inOrder(Array(tiles.indices), atATime: concurrentTiles) { index in
                try await modules.predict(tiles[index], guidance, awayFrom: prompts[index].negative)
            } each: { _, prediction in
                predictions.append(prediction.clean)
                each()
            }
            for (index, sketch) in sketches.enumerated() { sketch?.lead(&predictions[index], at: level) }
            exchange.makeAlike(&predictions, evaluation: evaluation)
            let noises =
                samplers[0].needsNoise
                ? noises(NoiseDraw.step(evaluation: evaluation, rung: stage.rung), sharedBy: exchange) : nil
            for index in states.indices {
                samplers[index].advance(&states[index], denoised: predictions[index], noise: noises?[index])
            }
        }
        // The next size sees these paddings.
        exchange.fillPaddings(&states, evaluation: samplers[0].evaluation)
        return states
    }

    /// What leads each picture, where they are composed for finer sizes.
    private func sketches() -> [CanvasSketch?] {
        guard let forms, !stage.refines, stage.rung > 0 else { return [] }
        return zip(plan.request.images, prompts).map { image, prompt in
            CanvasSketch(
                stage.frame, strip: stage.strip, of: image, forms: forms, channels: traits.channels,
                embedding: prompt.positive)
        }
    }

    /// Noise of unit deviation, each picture's own but where sides must be alike.
    private func noises(_ draw: Int, sharedBy exchange: SideExchange) -> [Tensor] {
        let frame = stage.frame
        // Cells as noise counts them, from the picture's corner.
        let cells = Region(x: -frame.picture.x, y: -frame.picture.y, width: frame.width, height: frame.height)
        var noises = plan.request.images.map {
            CounterNoise(seed: $0.seed).normal(region: cells, channels: traits.channels, draw: draw)
        }
        exchange.shareNoise(&noises)
        return noises
    }

    /// The coarser scale's tiles, cut as this scale's tiles see them.
    private func coarseTiles() -> [Tensor]? {
        coarser.map { coarser in
            let (frame, picture, pooling) = (stage.frame, coarser.stage.frame.picture, coarser.stage.pooling)
            let seen = { (cells: Int) in cells / traits.scaleFactor * pooling }
            let region = Region(
                x: picture.x - seen(frame.picture.x), y: picture.y - seen(frame.picture.y), width: seen(frame.width),
                height: seen(frame.height))
            return coarser.states.map { $0.copy(region: region).averagePooled(by: pooling) }
        }
    }

    /// Noise over what was painted at the coarser scale.
    private func start(over below: [Tensor]?, noises: [Tensor]) -> [Tensor] {
        let level = stage.schedule.levels[0]
        let deviation = stage.refines ? level.sigma : stage.schedule.startDeviation
        return noises.enumerated().map { index, noise in
            var state = deviation == 1 ? noise : noise.scaled(by: Float(deviation))
            if stage.refines, let below, level.alpha > 0 {
                state.add(below[index].upsampledBilinear(by: traits.scaleFactor), scaledBy: Float(level.alpha))
            }
            return state
        }
    }
}
