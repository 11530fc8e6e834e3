public import ChoirSampling

/// The noise that a model was trained with: where its schedules come from.
public enum NoiseSchedule: Hashable, Sendable {
    /// A rectified flow; the model is told the time multiplied by `timeScale`.
    case flow(timeScale: Double = 1)

    /// A diffusion whose checkpoint says how it wants to be sampled.
    case scheduler(SchedulerConfiguration)

    /// The deviations of Karras et al. 2022, equation 5, of a model that is told the deviation itself.
    case karras(minimum: Double, maximum: Double, rho: Double = 7)

    /// A variance-preserving diffusion that is told the training step, at steps that a spacing chooses.
    case training(TrainingNoise, spacing: TimestepSpacing = .trailing)

    /// The noise levels of a painting.
    ///
    /// - Parameters:
    ///   - steps: How many steps the way from pure noise has.
    ///   - sampler: The step rule that the levels are for.
    ///   - spacing: Which levels the steps visit, of a model that was trained at some; nil for its own way.
    ///   - start: Where the way is entered, 0 < start <= 1; 1 is pure noise. For a flow it is the time of the first
    ///     step, and all steps lie below it. For other models it is the `strength` of diffusers: that share of the steps
    ///     is left.
    ///   - shift: Resolution shift, for a flow only.
    /// - Throws: `SamplingError` for settings that no schedule can be made of, or one at whose levels the model's
    ///   prediction determines no picture.
    public func schedule(
        steps: Int, sampler: SamplerKind, spacing: StepSpacing? = nil, start: Double, shift: Double
    ) throws(SamplingError) -> Schedule {
        try spacing.map(check)
        switch self {
        case .flow(let timeScale):
            return try .flow(steps: steps, shift: shift, start: start, timeScale: timeScale)
        case .scheduler(let configuration):
            let schedule = try configuration.schedule(sampler, steps: steps, spacing: spacing)
                .partial(strength: start)
            try configuration.parameterization.check(schedule)
            return schedule
        case .karras(let minimum, let maximum, let rho):
            // A consistency model is asked nothing at its least noise, where it changes nothing.
            return try Schedule.karras(
                steps: steps, minimum: minimum, maximum: maximum, rho: rho, visitsMinimum: sampler != .consistency
            ).partial(strength: start)
        case .training(let noise, let own):
            return try noise.schedule(steps: steps, spacing: spacing?.timesteps ?? own).partial(strength: start)
        }
    }

    /// Refuses a spacing that the model cannot have, whatever the sampler.
    private func check(_ spacing: StepSpacing) throws(SamplingError) {
        let known: [StepSpacing]
        switch self {
        case .scheduler: return
        case .training: known = StepSpacing.ofTrainingSteps
        case .flow, .karras: known = []
        }
        guard !known.contains(spacing) else { return }
        throw spacing.refusal(expected: known, for: "this model")
    }

    /// How many of a schedule's steps begin before a share of the way from pure noise is done.
    ///
    /// Matches the `denoising_end` and `denoising_start` of diffusers' pipelines for SDXL: the way is measured in the
    /// times that the model was trained at, rounded to a whole one. For a model that is told deviations it is measured in
    /// steps.
    ///
    /// - Parameters:
    ///   - schedule: What `schedule(steps:sampler:start:shift:)` gave, whatever its start.
    ///   - share: 0 ... 1.
    func steps(of schedule: Schedule, before share: Double) -> Int {
        let trained = { (times: Int) in (Double(times) - share * Double(times)).rounded(.toNearestOrEven) }
        let least: Double
        switch self {
        case .flow(let timeScale): least = timeScale * (1 - share)
        case .scheduler(let configuration): least = trained(configuration.trainingSteps)
        case .training(let noise, _): least = trained(noise.cumulativeAlphas.count)
        case .karras: return Int((Double(schedule.steps) * share).rounded())
        }
        return schedule.levels.dropLast().prefix { $0.time >= least }.count
    }
}
