public import ChoirTensor

/// What a model predicts about the noisy state `x = alpha * clean + sigma * noise`.
public enum Parameterization: String, Hashable, Sendable, CaseIterable, Codable {
    /// The noise ε (Ho et al. 2020, eq. 11).
    case epsilon
    /// The velocity v = α ε - σ x₀ for α² + σ² = 1 (Salimans & Ho 2022, appendix D); other levels are normalised to
    /// that first.
    case velocity
    /// The rectified flow u = ε - x₀ (Liu et al. 2022, eq. 1, with time running from image to noise).
    case flow
    /// The clean image x₀ itself.
    case clean

    /// The coefficients that turn state and model output into the clean image: `state * x + prediction * output`.
    ///
    /// | predicts | clean image |
    /// |---|---|
    /// | ε | (x - σ ε) / α |
    /// | v | (α x - σ √(α² + σ²) v) / (α² + σ²) |
    /// | u | (x - σ u) / (α + σ) |
    public func clean(at level: NoiseLevel) -> LinearCombination {
        let (alpha, sigma) = (level.alpha, level.sigma)
        switch self {
        case .epsilon:
            return LinearCombination(state: 1 / alpha, prediction: -sigma / alpha)
        case .velocity:
            let variance = alpha * alpha + sigma * sigma
            return LinearCombination(state: alpha / variance, prediction: -sigma / variance.squareRoot())
        case .flow:
            return LinearCombination(state: 1 / (alpha + sigma), prediction: -sigma / (alpha + sigma))
        case .clean:
            return LinearCombination(prediction: 1)
        }
    }

    /// Turns a model's output into the predicted clean image, in place.
    ///
    /// - Parameters:
    ///   - output: what the model returned; replaced by the clean image.
    ///   - state: the noisy state that the model saw, of the same shape.
    ///   - level: the level of `state`.
    /// - Precondition: the shapes are equal and the prediction is defined at the level (`check(_:)`).
    public func convertToClean(_ output: inout Tensor, state: Tensor, at level: NoiseLevel) {
        guard self != .clean else { return }
        let coefficients = clean(at: level)
        precondition(coefficients.state.isFinite, "\(self) says nothing about the clean image at pure noise")
        output.combine(scale: coefficients.prediction, with: state, otherScale: coefficients.state)
    }

    /// Finds out whether this prediction determines the clean image at every level of a schedule.
    ///
    /// - Throws: `SamplingError` for noise prediction where the state holds nothing but noise.
    public func check(_ schedule: Schedule) throws(SamplingError) {
        guard self == .epsilon, let index = schedule.levels.firstIndex(where: { $0.alpha == 0 }) else { return }
        throw SamplingError(
            code: .undefinedPrediction,
            subject: "parameterization \(rawValue)",
            message: """
                level \(index) of the schedule is pure noise, where predicted noise determines no image; \
                expected a start with some signal, or a model that predicts velocity, flow or clean
                """
        )
    }
}

extension NoiseLevel {
    /// Turns a predicted clean image into the noise that it implies, in place: ε = (x - α x₀) / σ.
    ///
    /// - Precondition: the shapes are equal and the level holds noise.
    public func convertToNoise(_ clean: inout Tensor, state: Tensor) {
        precondition(sigma > 0, "a clean level implies no noise")
        clean.combine(scale: -alpha / sigma, with: state, otherScale: 1 / sigma)
    }

    /// Turns a clean image into a state of this level, in place: x = α x₀ + σ ε.
    ///
    /// This starts a painting, from noise alone with an image of zeros, or from an image noised partly.
    ///
    /// - Precondition: the shapes are equal.
    public func addNoise(to clean: inout Tensor, noise: Tensor) {
        clean.combine(scale: alpha, with: noise, otherScale: sigma)
    }
}
