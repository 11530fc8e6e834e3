extension SamplerUpdate {
    /// A step of multistep consistency sampling (Song et al. 2023, "Consistency Models", algorithm 1).
    ///
    ///     x' = f + √(σ'² - ε²) · z                          with α = 1, as in the paper
    ///     x' = α' f + √(σ'² - (α' ε)²) · noise              for any family of levels
    ///
    /// `f` is what the consistency model predicts. It stands at the least noise that the model was trained at, ε, and so
    /// brings that much noise along; only the rest of the next level's is added. At a level below ε none is.
    ///
    /// - Parameter leastRatio: ε, the noise-to-signal ratio of the least noise.
    static func multistepConsistency(to: NoiseLevel, leastRatio: Double) -> SamplerUpdate {
        let kept = to.alpha * leastRatio
        let noise = max(0, to.sigma * to.sigma - kept * kept).squareRoot()
        return SamplerUpdate(newState: LinearCombination(prediction: to.alpha, noise: noise))
    }
}
