/// The noise levels that a painting passes through, from the noisiest to the clean one.
public struct Schedule: Hashable, Sendable {
    /// The family of levels, which decides the coordinates that a second-order sampler works in.
    public enum Path: String, Hashable, Sendable {
        /// alpha² + sigma² = 1 (DDPM).
        case variancePreserving
        /// alpha = 1 (EDM).
        case varianceExploding
        /// alpha + sigma = 1 (rectified flow).
        case flow
    }

    /// The most steps that a schedule can have.
    public static let maximumSteps = 10_000

    /// The family of the levels.
    public let path: Path
    /// The levels: one more than there are steps; the last is clean, every other holds noise.
    public let levels: [NoiseLevel]

    /// The number of steps.
    public var steps: Int { levels.count - 1 }

    /// Makes a schedule from its noisy levels, noisiest first; the clean level is added at the end.
    ///
    /// - Throws: `SamplingError` if there is no level, more than `maximumSteps`, or a level does not hold less noise
    ///   than the one before.
    public init(path: Path, noisyLevels: [NoiseLevel]) throws(SamplingError) {
        try Schedule.check(steps: noisyLevels.count)
        var previous = Double.infinity
        for (index, level) in noisyLevels.enumerated() {
            let ratio = level.noiseToSignal
            let isFinite = level.alpha.isFinite && level.sigma.isFinite && level.time.isFinite
            guard isFinite, level.alpha >= 0, ratio > 0, ratio < previous || index == 0 else {
                throw SamplingError(
                    code: .invalidSetting,
                    subject: "schedule",
                    message: """
                        level \(index) has alpha \(level.alpha), sigma \(level.sigma) and time \(level.time); \
                        expected finite numbers with noise, and less of it than at the level before
                        """
                )
            }
            previous = ratio
        }
        self.path = path
        self.levels = noisyLevels + [.clean]
    }

    /// The last part of this schedule, for an image that is noised partly and painted again from there.
    ///
    /// Matches the `strength` of diffusers' image-to-image pipelines: of `n` steps, the last `Int(n * strength)` are
    /// taken, at least one.
    ///
    /// - Parameter strength: 1 keeps every step, 0.3 the last 30 % of them.
    /// - Throws: `SamplingError` if the strength is not above 0 and at most 1.
    public func partial(strength: Double) throws(SamplingError) -> Schedule {
        guard strength > 0, strength <= 1 else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "strength",
                message: "found \(strength), expected a number above 0 and at most 1"
            )
        }
        let kept = max(1, Int(Double(steps) * strength))
        return try Schedule(path: path, noisyLevels: Array(levels.dropLast().suffix(kept)))
    }

    static func check(steps: Int, maximum: Int = maximumSteps) throws(SamplingError) {
        guard steps >= 1, steps <= maximum else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "steps",
                message: "found \(steps), expected a number from 1 to \(maximum)"
            )
        }
    }
}
