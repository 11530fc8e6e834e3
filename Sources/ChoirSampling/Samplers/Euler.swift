extension SamplerUpdate {
    /// Euler's step along the probability-flow equation (Karras et al. 2022, algorithm 1 without lines 6 to 8).
    ///
    /// In `x̄ = x / α` and `s = σ / α` the equation is `dx̄/ds = (x̄ - x₀) / s` (their eq. 4 and 5), and one step is
    ///
    ///     x̄' = x̄ + (s' - s) (x̄ - x₀) / s        hence        x' = (σ' / σ) x + (α' - α σ' / σ) x₀
    ///
    /// Written like this it holds from pure noise (α = 0) too. For a rectified flow it is `x' = x + (t' - t) u`, and
    /// for a variance-preserving model it is DDIM without noise, to the bit (Song et al. 2021, "DDIM", eq. 13).
    static func euler(from: NoiseLevel, to: NoiseLevel) -> SamplerUpdate {
        let ratio = to.sigma / from.sigma
        return SamplerUpdate(newState: LinearCombination(state: ratio, prediction: to.alpha - from.alpha * ratio))
    }
}
