/// A configuration's settings for one sampler: as written, else the defaults of the scheduler of that sampler.
///
/// Matches the initialisers of diffusers' `scheduling_{ddim,euler_discrete,euler_ancestral_discrete,heun_discrete,
/// dpmsolver_multistep,lcm}.py`, which get a configuration of any class by `from_config`.
struct SchedulerSettings {
    let kind: SamplerKind
    let trainingSteps: Int
    let spacing: TimestepSpacing
    let offset: Int
    let usesKarrasSigmas: Bool
    let leastSigma: Double?
    let mostSigma: Double?
    let endsAtLeastSigma: Bool
    let setsAlphaToOne: Bool
    let leastLambda: Double
    let originalSteps: Int
    let timestepScaling: Double
    private let betaStart: Double
    private let betaEnd: Double
    private let growth: TrainingNoise.Growth
    private let betas: [Double]?
    private let rescalesBetas: Bool

    init(_ fields: SchedulerFields, for kind: SamplerKind, spacing: StepSpacing? = nil) throws(SamplingError) {
        self.kind = kind
        let knowsKarras = [.euler, .heun, .dpmpp2m].contains(kind)
        let knowsFinal = [.euler, .dpmpp2m].contains(kind)
        let isStable = kind == .lcm || kind == .heun
        trainingSteps = fields.trainingSteps ?? 1000
        betaStart = fields.betaStart ?? (isStable ? 0.00085 : 0.0001)
        betaEnd = fields.betaEnd ?? (isStable ? 0.012 : 0.02)
        switch fields.betaSchedule ?? (kind == .lcm ? "scaled_linear" : "linear") {
        case "scaled_linear": growth = .scaledLinear
        case "squaredcos_cap_v2": growth = .squaredCosine
        default: growth = .linear
        }
        betas = fields.trainedBetas
        rescalesBetas = kind != .heun && fields.rescalesBetas ?? false
        self.spacing =
            spacing?.timesteps ?? TimestepSpacing(rawValue: fields.timestepSpacing ?? "")
            ?? (kind == .ddim ? .leading : .linspace)
        offset = fields.stepsOffset ?? 0
        usesKarrasSigmas = knowsKarras && (spacing.map { $0 == .karras } ?? fields.usesKarrasSigmas ?? false)
        leastSigma = fields.leastSigma
        mostSigma = fields.mostSigma
        endsAtLeastSigma = knowsFinal && fields.finalSigmas == "sigma_min"
        setsAlphaToOne = fields.setsAlphaToOne ?? true
        leastLambda = fields.leastLambda ?? -.infinity
        originalSteps = fields.originalSteps ?? 50
        timestepScaling = fields.timestepScaling ?? 10
        try check()
    }

    private func check() throws(SamplingError) {
        guard (2...100_000).contains(trainingSteps) else {
            throw refusal("num_train_timesteps", trainingSteps, 2...100_000)
        }
        if let betas, betas.count != trainingSteps {
            throw SamplingError(
                code: .invalidSetting,
                subject: "trained_betas",
                message: "found \(betas.count) numbers, expected num_train_timesteps, which is \(trainingSteps)"
            )
        }
        guard (0..<trainingSteps).contains(offset) else {
            throw refusal("steps_offset", offset, 0...trainingSteps - 1)
        }
        guard (1...trainingSteps).contains(originalSteps) || kind != .lcm else {
            throw refusal("original_inference_steps", originalSteps, 1...trainingSteps)
        }
        guard (0...1e6).contains(timestepScaling) else { throw refusal("timestep_scaling", timestepScaling, 0...1e6) }
        for (field, value) in [("sigma_min", leastSigma), ("sigma_max", mostSigma)] {
            guard let value, !(1e-6...1e6).contains(value) else { continue }
            throw refusal(field, value, 1e-6...1e6)
        }
    }

    private func refusal<Number>(_ field: String, _ found: Number, _ range: ClosedRange<Number>) -> SamplingError {
        SamplingError(
            code: .invalidSetting,
            subject: field,
            message: "found \(found), expected a number from \(range.lowerBound) to \(range.upperBound)"
        )
    }

    /// Whether DPM-Solver++ rounds the times of Karras' deviations; it cuts those of a cosine.
    var roundsTimes: Bool { growth != .squaredCosine }

    /// ᾱ by training step, with a trace of signal left for samplers that need it.
    func trainingNoise() throws(SamplingError) -> TrainingNoise {
        let noise =
            if let betas {
                try TrainingNoise(betas: betas, rescalesToZeroSignal: rescalesBetas)
            } else {
                try TrainingNoise(
                    growth: growth,
                    betaStart: betaStart,
                    betaEnd: betaEnd,
                    steps: trainingSteps,
                    rescalesToZeroSignal: rescalesBetas
                )
            }
        return kind == .ddim || kind == .lcm ? noise : noise.withLeastSignal
    }
}
