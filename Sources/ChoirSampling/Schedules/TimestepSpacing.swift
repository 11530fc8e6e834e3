/// Which of the training steps a variance-preserving model is asked at (Lin et al. 2023, table 2; names of diffusers).
public enum TimestepSpacing: String, Hashable, Sendable, CaseIterable {
    /// Every `N / n`-th step from the first; never reaches the noisiest one.
    case leading
    /// Every `N / n`-th step back from the noisiest; what Lin et al. recommend.
    case trailing
    /// Equal fractions from the noisiest to the first step, both included.
    case linspace
}

extension TrainingNoise {
    /// The times that `steps` sampling steps use, noisiest first (diffusers' `timesteps`).
    ///
    /// - Parameters:
    ///   - steps: how many, at most the number of training steps.
    ///   - spacing: which training steps; `linspace` gives fractions between them, as in diffusers' Euler.
    ///   - offset: added to every `leading` time (`steps_offset`; Stable Diffusion uses 1).
    /// - Throws: `SamplingError` if the number of steps or the offset is out of range.
    public func times(
        steps: Int,
        spacing: TimestepSpacing = .trailing,
        offset: Int = 0
    ) throws(SamplingError) -> [Double] {
        let count = cumulativeAlphas.count
        try Schedule.check(steps: steps, maximum: min(count, Schedule.maximumSteps))
        switch spacing {
        case .leading:
            let stride = count / steps
            guard offset >= 0, offset <= count - 1 - (steps - 1) * stride else {
                throw SamplingError(
                    code: .invalidSetting,
                    subject: "steps offset",
                    message: "found \(offset), expected 0 to \(count - 1 - (steps - 1) * stride) at \(steps) steps"
                )
            }
            return (0..<steps).reversed().map { Double($0 * stride + offset) }
        case .trailing:
            return TrainingNoise.trailingTimes(from: count, stride: Double(count) / Double(steps), atMost: steps)
        case .linspace:
            guard steps > 1 else { return [Double(count - 1)] }
            return (0..<steps).reversed().map { Double(count - 1) * Double($0) / Double(steps - 1) }
        }
    }

    /// Every `stride`-th whole time back from the one before `end`, as many as there are but at most `limit`.
    static func trailingTimes(from end: Int, stride: Double, atMost limit: Int) -> [Double] {
        // The stride after rounding to the precision at `end`, which decides where a half is rounded to: NumPy's
        // `arange`.
        let rounded = Double(end) - (Double(end) - stride)
        return (0..<limit).map { Double(end) - Double($0) * rounded }.filter { $0 > 0 }
            .map { $0.rounded(.toNearestOrEven) - 1 }
    }

    /// The schedule that visits training times chosen by a spacing; see `times(steps:spacing:offset:)`.
    ///
    /// - Throws: `SamplingError` if the number of steps or the offset is out of range.
    public func schedule(
        steps: Int,
        spacing: TimestepSpacing = .trailing,
        offset: Int = 0
    ) throws(SamplingError) -> Schedule {
        try schedule(times: times(steps: steps, spacing: spacing, offset: offset))
    }

    /// The schedule that visits the given training times, noisiest first.
    ///
    /// - Throws: `SamplingError` if a time is not a training time or times do not fall.
    public func schedule(times: [Double]) throws(SamplingError) -> Schedule {
        let last = Double(cumulativeAlphas.count - 1)
        for time in times where !(0...last).contains(time) {
            throw SamplingError(
                code: .invalidSetting,
                subject: "training time",
                message: "found \(time), expected a number from 0 to \(last)"
            )
        }
        return try Schedule(path: .variancePreserving, noisyLevels: times.map { level(time: $0) })
    }

    /// The schedule on the deviations of Karras et al. 2022, eq. 5, between the model's own least and most noise.
    ///
    /// The model is told the training time of the same noise-to-signal ratio.
    ///
    /// - Throws: `SamplingError` if the number of steps is out of range, or the training noise ends without signal.
    public func karras(steps: Int, rho: Double = 7) throws(SamplingError) -> Schedule {
        let sigmas = try Schedule.karrasSigmas(
            steps: steps,
            minimum: noiseToSignal(step: 0),
            maximum: noiseToSignal(step: cumulativeAlphas.count - 1),
            rho: rho
        )
        let levels = sigmas.map { NoiseLevel.variancePreserving(sigma: $0, time: time(noiseToSignal: $0)) }
        return try Schedule(path: .variancePreserving, noisyLevels: levels)
    }
}
