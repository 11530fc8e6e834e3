/// Coefficients of the fields that a sampling equation adds up.
///
/// Every equation of this module (prediction to clean image, guidance, sampler step) is linear in its fields, element
/// by element. So an equation is these four numbers, worked out in `Double`, and one loop applies them all.
public struct LinearCombination: Hashable, Sendable {
    /// The coefficient of the noisy state.
    public var state: Double
    /// The coefficient of the prediction: the clean image in samplers, the raw model output in parameterisations.
    public var prediction: Double
    /// The coefficient of the field that a sampler remembers from earlier evaluations.
    public var memory: Double
    /// The coefficient of fresh unit noise.
    public var noise: Double

    /// Makes a combination; what is left out does not take part.
    public init(state: Double = 0, prediction: Double = 0, memory: Double = 0, noise: Double = 0) {
        self.state = state
        self.prediction = prediction
        self.memory = memory
        self.noise = noise
    }
}
