/// One evaluation's effect on the canvas: the next state and what is remembered, each a sum of the fields at hand.
///
/// The equations of a sampler work out these coefficients in `Double` from noise levels alone; `apply` is the only
/// code that touches elements.
public struct SamplerUpdate: Hashable, Sendable {
    /// The state of the next evaluation.
    public var newState: LinearCombination
    /// What the next evaluation needs to remember; nil if nothing.
    public var newMemory: LinearCombination?

    /// Makes an update.
    public init(newState: LinearCombination, newMemory: LinearCombination? = nil) {
        self.newState = newState
        self.newMemory = newMemory
    }

    /// Whether the update needs what the evaluation before remembered.
    public var readsMemory: Bool { newState.memory != 0 || (newMemory?.memory ?? 0) != 0 }

    /// Whether the update leaves something to remember.
    public var remembers: Bool { newMemory != nil }

    /// Whether the update adds fresh noise.
    public var takesNoise: Bool { newState.noise != 0 || (newMemory?.noise ?? 0) != 0 }
}
