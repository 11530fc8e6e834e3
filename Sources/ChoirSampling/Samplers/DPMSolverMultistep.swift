#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension SamplerUpdate {
    /// The step of DPM-Solver++(2M) (Lu et al. 2022, "DPM-Solver++", algorithm 2; diffusers' `midpoint`).
    ///
    /// With λ = log(α / σ), h = λ' - λ and r = (λ - λ_previous) / h:
    ///
    ///     D  = x₀ + (x₀ - x₀_previous) / (2 r)
    ///     x' = (σ' / σ) x - α' (exp(-h) - 1) D        where  -α' (exp(-h) - 1) = α' - α σ' / σ
    ///
    /// The first step (nothing remembered) and one to σ' = 0 (where h is infinite) are of first order: `D = x₀`.
    /// After a start at pure noise (λ = -∞) r is infinite and D becomes x₀ by itself.
    ///
    /// - Parameters:
    ///   - previous: the level of the evaluation before; nil at the first.
    ///   - isFirstOrder: whether the step does not look back.
    ///   - remembers: whether the step after it does.
    static func dpmSolverMultistep(
        previous: NoiseLevel?,
        from: NoiseLevel,
        to: NoiseLevel,
        isFirstOrder: Bool,
        remembers: Bool
    ) -> SamplerUpdate {
        var update = euler(from: from, to: to)
        // A step between equal levels, to the noise that the model was trained down to, has no length.
        if !isFirstOrder, let previous, lambda(to) > lambda(from) {
            let r = (lambda(from) - lambda(previous)) / (lambda(to) - lambda(from))
            let correction = update.newState.prediction / (2 * r)
            update.newState.prediction += correction
            update.newState.memory = -correction
        }
        if remembers {
            update.newMemory = LinearCombination(prediction: 1)
        }
        return update
    }

    /// Half the logarithm of the signal-to-noise ratio; -∞ for pure noise.
    private static func lambda(_ level: NoiseLevel) -> Double {
        log(level.alpha / level.sigma)
    }
}
