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
    /// The levels: one more than there are steps, each with less noise than the one before; the last is where the
    /// painting ends, which is clean unless a scheduler's configuration says otherwise.
    public let levels: [NoiseLevel]
    /// The level that each step leads to: that of the next evaluation, except where diffusers' DDIM asks the model at
    /// another level than the one that it has led the state to.
    public let targets: [NoiseLevel]
    /// The deviation of the noise that a painting from nothing starts with.
    ///
    /// It is the first level's sigma, or exactly 1 where diffusers starts with noise as it is drawn.
    public let startDeviation: Double
    /// How much a latent consistency model's prediction is trusted at a time (Luo et al. 2023, "Latent Consistency
    /// Models", section 4.1): its boundary condition is taken at `time * consistencyTimeScale`; nil trusts it always.
    public let consistencyTimeScale: Double?
    /// The noise-to-signal ratio of the least noise that the model was trained at: the ε of consistency models, whose
    /// predictions still hold that much (Song et al. 2023); 0 if they are clean.
    public let leastRatio: Double
    /// Whether another schedule goes on where this one ends, so that its last step is not the painting's.
    public private(set) var isContinued = false

    /// The number of steps.
    public var steps: Int { levels.count - 1 }

    /// Makes a schedule from its noisy levels, noisiest first; the final level is added at the end.
    ///
    /// - Parameters:
    ///   - path: the family of the levels.
    ///   - noisyLevels: the level of each step's start.
    ///   - final: the level that the last step leads to; may be the last noisy one again.
    ///   - targets: the level that each step leads to, if it is not that of the next step's start.
    ///   - startDeviation: the deviation of the first noise, if it is not the first level's sigma.
    ///   - consistencyTimeScale: see the property of that name.
    ///   - leastRatio: see the property of that name.
    /// - Throws: `SamplingError` if there is no level, more than `maximumSteps`, or a level does not hold less noise
    ///   than the one before.
    public init(
        path: Path,
        noisyLevels: [NoiseLevel],
        final: NoiseLevel = .clean,
        targets: [NoiseLevel]? = nil,
        startDeviation: Double? = nil,
        consistencyTimeScale: Double? = nil,
        leastRatio: Double = 0
    ) throws(SamplingError) {
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
        let targets = targets ?? noisyLevels.dropFirst() + [final]
        let ends = zip(noisyLevels, targets).allSatisfy { $1.noiseToSignal <= $0.noiseToSignal }
        guard targets.count == noisyLevels.count, ends, final.noiseToSignal <= previous else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "schedule",
                message: "found a step that leads to more noise than it starts with, or the wrong number of targets"
            )
        }
        self.path = path
        self.levels = noisyLevels + [final]
        self.targets = targets
        self.startDeviation = startDeviation ?? noisyLevels[0].sigma
        self.consistencyTimeScale = consistencyTimeScale
        self.leastRatio = leastRatio
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
        guard kept < steps else { return self }
        return try Schedule(
            path: path,
            noisyLevels: Array(levels.dropLast().suffix(kept)),
            final: levels[steps],
            targets: targets.suffix(kept),
            consistencyTimeScale: consistencyTimeScale,
            leastRatio: leastRatio
        )
    }

    /// Some steps of this schedule, for a network that paints no others.
    ///
    /// - Parameter steps: Which; at least one.
    /// - Throws: `SamplingError` if there are not such steps.
    public func part(_ steps: Range<Int>) throws(SamplingError) -> Schedule {
        guard steps != 0..<self.steps else { return self }
        guard !steps.isEmpty, steps.lowerBound >= 0, steps.upperBound <= self.steps else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "steps",
                message: "found \(steps), expected some of 0..<\(self.steps)"
            )
        }
        var part = try Schedule(
            path: path,
            noisyLevels: Array(levels[steps]),
            final: levels[steps.upperBound],
            targets: Array(targets[steps]),
            startDeviation: steps.lowerBound == 0 ? startDeviation : nil,
            consistencyTimeScale: consistencyTimeScale,
            leastRatio: leastRatio
        )
        part.isContinued = steps.upperBound < self.steps
        return part
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
