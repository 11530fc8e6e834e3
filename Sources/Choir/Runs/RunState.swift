import ChoirTensor

/// A painting between two steps: all that the next step depends on.
struct RunState: Sendable {
    /// The index in `PaintPlan.stages`.
    var stage: Int

    /// The next evaluation of the stage's sampler.
    var evaluation: Int

    /// The canvas, or the sheet of tiles, at the level of that evaluation, `[channels, height, width]`.
    var canvas: Tensor

    /// What the sampler remembers, in the same shape.
    var memory: Tensor?

    /// What each tile published last, `[tokens, width]`; empty before the first evaluation.
    var publications: [Tensor]

    /// The finished canvas of the stage before.
    var coarser: Tensor?
}
