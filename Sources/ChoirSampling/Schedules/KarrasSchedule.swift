#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension Schedule {
    /// The deviations of Karras et al. 2022, eq. 5, without the final 0.
    ///
    /// `sigma_i = (max^(1/rho) + i / (n - 1) (min^(1/rho) - max^(1/rho)))^rho`
    ///
    /// - Parameters:
    ///   - steps: how many deviations, 1 ... `maximumSteps`; a single one is `maximum`.
    ///   - minimum: the last deviation, above 0.
    ///   - maximum: the first deviation, above `minimum`.
    ///   - rho: how strongly steps crowd at low noise; the paper uses 7.
    /// - Throws: `SamplingError` if a setting is out of its range.
    public static func karrasSigmas(
        steps: Int,
        minimum: Double = 0.002,
        maximum: Double = 80,
        rho: Double = 7
    ) throws(SamplingError) -> [Double] {
        try check(steps: steps)
        guard minimum > 0, maximum > minimum, maximum.isFinite, rho > 0, rho.isFinite else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "Karras schedule",
                message: """
                    found sigmas from \(minimum) to \(maximum) and rho \(rho), \
                    expected 0 < minimum < maximum and rho above 0
                    """
            )
        }
        let first = pow(maximum, 1 / rho)
        let last = pow(minimum, 1 / rho)
        return (0..<steps).map { index in
            let fraction = steps == 1 ? 0 : Double(index) / Double(steps - 1)
            return pow(first + fraction * (last - first), rho)
        }
    }

    /// The schedule of an EDM model (`alpha` = 1) on the deviations of Karras et al. 2022, eq. 5.
    ///
    /// For a variance-preserving model use `TrainingNoise.karras(steps:)`.
    ///
    /// - Parameters:
    ///   - steps: how many steps, 1 ... `maximumSteps`.
    ///   - minimum: the least deviation that the model was trained at.
    ///   - maximum: the first deviation.
    ///   - rho: how strongly steps crowd at low noise.
    ///   - visitsMinimum: whether the last step starts from `minimum`. For a consistency model it should not: what it
    ///     predicts there is what it sees. The deviations are then the first `steps` of `steps + 1`.
    /// - Throws: `SamplingError` if a setting is out of its range; see `karrasSigmas`.
    public static func karras(
        steps: Int,
        minimum: Double = 0.002,
        maximum: Double = 80,
        rho: Double = 7,
        visitsMinimum: Bool = true
    ) throws(SamplingError) -> Schedule {
        try check(steps: steps, maximum: visitsMinimum ? maximumSteps : maximumSteps - 1)
        let count = visitsMinimum ? steps : steps + 1
        let sigmas = try karrasSigmas(steps: count, minimum: minimum, maximum: maximum, rho: rho)
        return try Schedule(
            path: .varianceExploding,
            noisyLevels: sigmas.prefix(steps).map { .varianceExploding(sigma: $0) },
            leastRatio: minimum
        )
    }
}
