public import ChoirSampling

/// The noise that a model was trained with: where its schedules come from.
public enum NoiseSchedule: Hashable, Sendable {
    /// A rectified flow; the model is told the time multiplied by `timeScale`.
    case flow(timeScale: Double = 1)

    /// A variance-preserving diffusion, asked at training times of the given spacing.
    case diffusion(TrainingNoise, spacing: TimestepSpacing = .trailing, offset: Int = 0)

    /// The deviations of Karras et al. 2022, equation 5, of a model that is told the deviation itself.
    case karras(minimum: Double, maximum: Double, rho: Double = 7)

    /// The noise levels of a painting.
    ///
    /// - Parameters:
    ///   - steps: How many steps the way from pure noise has.
    ///   - sampler: The step rule that the levels are for.
    ///   - start: Where the way is entered, 0 < start <= 1; 1 is pure noise. For a flow it is the time of the first
    ///     step, and all steps lie below it. For other models it is the `strength` of diffusers: that share of the steps
    ///     is left.
    ///   - shift: Resolution shift, for a flow only.
    /// - Throws: `SamplingError` for settings that no schedule can be made of.
    public func schedule(
        steps: Int, sampler: SamplerKind, start: Double, shift: Double
    ) throws(SamplingError) -> Schedule {
        switch self {
        case .flow(let timeScale):
            try .flow(steps: steps, shift: shift, start: start, timeScale: timeScale)
        case .diffusion(let noise, let spacing, let offset):
            try noise.schedule(steps: steps, spacing: spacing, offset: offset).partial(strength: start)
        case .karras(let minimum, let maximum, let rho):
            try Schedule.karras(steps: steps, minimum: minimum, maximum: maximum, rho: rho).partial(strength: start)
        }
    }
}
