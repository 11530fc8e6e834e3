/// Heun's second-order step (Karras et al. 2022, algorithm 1): an Euler step, then the mean of the slopes at both ends.
///
/// In coordinates `y = x / c`, in which the path is straight, with `a = α / c` and `s = σ / c`:
///
///     y' = y + (a' - a) (x₀ + x₀') / 2 + (s' - s) (ε + ε') / 2,      ε = (x - α x₀) / σ
///
/// `x₀'` and `ε'` come from a second evaluation at the Euler step's result. `c = α` for variance-preserving and
/// -exploding levels gives the paper's form; `c = 1` for a rectified flow gives the mean of the two velocities. The
/// first evaluation remembers the part of the sum that does not depend on the second.
enum Heun {
    /// The Euler step; remembers `c' (y + (a' - a) x₀ / 2 + (s' - s) ε / 2)`.
    static func predictor(from: NoiseLevel, to: NoiseLevel, path: Schedule.Path) -> SamplerUpdate {
        var update = SamplerUpdate.euler(from: from, to: to)
        guard to.sigma > 0 else { return update }
        let step = Step(from: from, to: to, path: path)
        let slope = step.noise / from.sigma
        update.newMemory = LinearCombination(
            state: step.scale + slope,
            prediction: step.clean - from.alpha * slope
        )
        return update
    }

    /// Adds the second evaluation's half to what the predictor remembered.
    static func corrector(from: NoiseLevel, to: NoiseLevel, path: Schedule.Path) -> SamplerUpdate {
        let step = Step(from: from, to: to, path: path)
        let slope = step.noise / to.sigma
        return SamplerUpdate(
            newState: LinearCombination(state: slope, prediction: step.clean - to.alpha * slope, memory: 1)
        )
    }

    /// The factors of one step, multiplied back by `c'`.
    private struct Step {
        /// `c' / c`
        let scale: Double
        /// `c' (a' - a) / 2`
        let clean: Double
        /// `c' (s' - s) / 2`
        let noise: Double

        init(from: NoiseLevel, to: NoiseLevel, path: Schedule.Path) {
            // Nothing can be divided by the α = 0 of pure noise; the unscaled coordinates are second-order as well.
            let divides = path != .flow && from.alpha > 0
            scale = divides ? to.alpha / from.alpha : 1
            clean = (to.alpha - scale * from.alpha) / 2
            noise = (to.sigma - scale * from.sigma) / 2
        }
    }
}
