import ChoirSampling
import Foundation

/// Keeps a stage near the picture that it refines, the more the noisier the canvas is.
///
/// The skip residual of DemoFusion (Du et al., CVPR 2024, equation 4), for models that do not see the coarser picture.
/// Before each step, with z' the enlarged picture, noised by the noise that the stage began with:
///
///     x   <- (1 - c) x + c z'_t,      z'_t = alpha_t z' + sigma_t n
///     c    = strength · k³,           k = (1 + cos(π (T - t) / T)) / 2
///
/// t / T is the share of the way from pure noise that is left. A stage that begins with z'_t itself, below pure noise,
/// is held less than one that begins with noise alone.
struct SkipResidual: Hashable, Sendable {
    /// How much it holds, 0 ... 1; DemoFusion has 1.
    let strength: Double

    /// Where on the way from noise the stage begins, above 0, 1 at most.
    let start: Double

    /// c before a step.
    ///
    /// - Parameter done: The share of the stage's steps that are done, 0 ..< 1.
    func share(done: Double) -> Double {
        let left = start * (1 - done)
        return strength * pow((1 + cos(.pi * (1 - left))) / 2, 3)
    }
}
