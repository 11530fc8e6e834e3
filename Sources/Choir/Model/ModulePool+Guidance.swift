import ChoirSampling
import ChoirTensor

extension ModulePool {
    /// A prediction that is guided away from another prompt.
    func predict(_ input: TileInput, _ guidance: Guidance, awayFrom negative: Tensor) async throws -> TilePrediction {
        guard guidance.needsUnconditional else { return try await predict(input) }
        var unconditional = input
        unconditional.embedding = negative
        unconditional.isNegative = true
        // Side by side, so that a single tile keeps two modules busy.
        async let other = predict(unconditional)
        var prediction = try await predict(input)
        guidance.guide(&prediction.clean, unconditional: try await other.clean)
        prediction.networkSeconds += try await other.networkSeconds
        return prediction
    }
}
