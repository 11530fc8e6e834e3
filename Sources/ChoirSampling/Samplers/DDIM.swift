extension SamplerUpdate {
    /// The step of denoising diffusion implicit models (Song et al. 2021, "DDIM", eq. 12 and 16).
    ///
    ///     x' = α' x₀ + √(σ'² - σ_η²) ε + σ_η · noise,      ε = (x - α x₀) / σ
    ///     σ_η = η σ' √(1 - (σ' α / (σ α'))²)
    ///
    /// Their σ_η, (σ' / σ) √(1 - α² / α'²) for α² + σ² = 1, is the same number; this form holds for every family of
    /// levels. η = 0 adds no noise and equals Euler's step, η = 1 is ancestral (DDPM) sampling.
    static func ddim(from: NoiseLevel, to: NoiseLevel, eta: Double) -> SamplerUpdate {
        guard eta > 0 else { return .euler(from: from, to: to) }
        let kept = to.sigma * from.alpha / (from.sigma * to.alpha)
        let fresh = eta * to.sigma * (1 - kept * kept).squareRoot()
        let direction = max(0, to.sigma * to.sigma - fresh * fresh).squareRoot() / from.sigma
        return SamplerUpdate(
            newState: LinearCombination(
                state: direction,
                prediction: to.alpha - from.alpha * direction,
                noise: fresh
            )
        )
    }
}
