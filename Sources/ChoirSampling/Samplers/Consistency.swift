extension SamplerUpdate {
    /// A step of multistep consistency sampling (Song et al. 2023, "Consistency Models", algorithm 1; Luo et al. 2023,
    /// "Latent Consistency Models", algorithm 3): the clean prediction, noised again to the next level.
    ///
    ///     x' = α' f + σ' · noise,      f = c_skip x + c_out x₀
    ///     c_skip = σ_d² / (τ² + σ_d²),      c_out = τ / √(τ² + σ_d²),      σ_d = ½,      τ = time · timeScale
    ///
    /// - Parameter timeScale: diffusers' `timestep_scaling`; nil takes `f = x₀`, which large τ come near to.
    static func consistency(from: NoiseLevel, to: NoiseLevel, timeScale: Double?) -> SamplerUpdate {
        var (skip, out) = (0.0, 1.0)
        if let timeScale {
            let scaled = from.time * timeScale
            let sum = scaled * scaled + 0.25
            (skip, out) = (0.25 / sum, scaled / sum.squareRoot())
        }
        return SamplerUpdate(
            newState: LinearCombination(state: to.alpha * skip, prediction: to.alpha * out, noise: to.sigma)
        )
    }
}
