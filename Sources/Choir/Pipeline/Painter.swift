import ChoirSampling
import ChoirTensor

/// Paints one plan, stage after stage, from noise or from a stored state.
struct Painter {
    let denoiser: any Denoiser
    let modules: Int
    let plan: PaintPlan
    let run: RunDirectory?

    /// Noise to start from in place of the seed's, in the shape of the first canvas.
    let noise: Tensor?

    private let embeddings: [String: Tensor]

    /// What the refiner is told of the same prompts; empty without one.
    private let refinerEmbeddings: [String: Tensor]

    init(
        denoiser: any Denoiser, modules: Int, plan: PaintPlan, run: RunDirectory?, noise: Tensor?
    ) async throws {
        let denoiser = denoiser.conditioned(by: plan.request.conditions ?? [:])
        self.denoiser = denoiser
        self.modules = modules
        self.plan = plan
        self.run = run
        self.noise = noise
        embeddings = try await TilePrompter.embeddings(of: plan.request, by: denoiser)
        refinerEmbeddings =
            if let refiner = denoiser.refiner, plan.stages.contains(where: \.belongsToRefiner) {
                try await TilePrompter.embeddings(of: plan.request, by: refiner)
            } else {
                [:]
            }
    }

    /// - Parameters:
    ///   - stored: The state to continue from; nil starts with noise.
    ///   - send: Where events go.
    func paint(from stored: RunState?, send: @Sendable (PaintEvent) -> Void) async throws -> Painting {
        send(.planned(plan))
        let clock = ContinuousClock()
        var timings = PaintTimings()
        var progress = PaintProgress(plan: plan, doneStages: stored?.stage ?? 0)
        var coarser = stored?.coarser
        var continued: Tensor?
        var pool: (stage: Stage, modules: any ModulePool)?

        for index in (stored?.stage ?? 0)..<plan.stages.count {
            let stage = plan.stages[index]
            let expert = denoiser.expert(for: stage)
            let embeddings = stage.belongsToRefiner ? refinerEmbeddings : embeddings
            if pool?.stage.sharesNetwork(with: stage) != true {
                let start = clock.now
                // Gone before the next is made: two compiled networks may not fit into memory.
                pool = nil
                let modules = try await expert.modules(
                    for: stage.tileShape, embedding: embeddings.values.first?.shape ?? [0],
                    count: min(modules, plan.mostEvaluations(from: index)))
                pool = (stage, modules)
                timings.compile += (clock.now - start).seconds
            }
            guard let modules = pool?.modules else { preconditionFailure("a stage without modules") }
            let start = clock.now
            var painter = try await StagePainter(
                stage: stage, index: index, plan: plan, modules: modules, concurrentTiles: self.modules,
                prompter: TilePrompter(regions: stage.regions, embeddings: embeddings), coarser: coarser, run: run,
                stored: stored?.stage == index ? stored : nil, given: index == 0 ? noise : nil,
                continued: continued.take(), traits: expert.traits, codec: denoiser.codec, forms: expert.forms)
            progress.skip(evaluations: painter.doneEvaluations, steps: painter.doneSteps)
            let canvas = try await painter.paint(&progress, send: send)
            timings.denoise += (clock.now - start).seconds
            timings.network += painter.networkSeconds / Double(min(modules.concurrency, self.modules))
            if index + 1 == plan.stages.count {
                return Painting(
                    request: plan.request, plan: plan, model: denoiser.traits.name, canvas: canvas,
                    codec: denoiser.codec, timings: timings)
            }
            // A stage of the same size goes on with the state itself, and refines what this one did.
            continued = plan.stages[index + 1].continues ? painter.state : nil
            if continued == nil { coarser = canvas.averagePooled(by: stage.pooling) }
        }
        preconditionFailure("a plan has at least one stage")
    }
}

/// Counts over all stages.
struct PaintProgress {
    private(set) var evaluations: Int
    private(set) var steps: Int
    let evaluationCount: Int
    let stepCount: Int

    init(plan: PaintPlan, doneStages: Int) {
        let done = plan.stages.prefix(doneStages)
        evaluations = done.reduce(0) { $0 + $1.evaluations }
        steps = done.reduce(0) { $0 + $1.canvasEvaluations }
        evaluationCount = plan.evaluations
        stepCount = plan.stages.reduce(0) { $0 + $1.canvasEvaluations }
    }

    mutating func skip(evaluations: Int, steps: Int) {
        self.evaluations += evaluations
        self.steps += steps
    }
}

extension Duration {
    /// As a floating-point number of seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
