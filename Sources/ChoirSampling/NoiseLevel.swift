/// How much noise a state holds: `x = alpha * clean + sigma * noise`, with `noise` of unit variance.
///
/// The pair is the common language of all models (Kingma et al. 2021, "Variational Diffusion Models", eq. 1), so that
/// one sampler serves every kind:
///
/// | kind | alpha | sigma | time |
/// |---|---|---|---|
/// | variance preserving (DDPM, Stable Diffusion) | √ᾱ | √(1 - ᾱ) | training step, 0 ..< 1000 |
/// | rectified flow | 1 - t | t | t × time scale |
/// | variance exploding (EDM, Karras) | 1 | σ | σ |
public struct NoiseLevel: Hashable, Sendable {
    /// The scale of the clean image, 0 (none left) ... 1.
    public let alpha: Double
    /// The standard deviation of the noise, 0 for a clean state.
    public let sigma: Double
    /// What the model is told about the level; 0 for a clean state.
    public let time: Double

    /// Makes a level from its scale, deviation and the value that the model is told.
    public init(alpha: Double, sigma: Double, time: Double) {
        self.alpha = alpha
        self.sigma = sigma
        self.time = time
    }

    /// The level without noise, at which every schedule ends.
    public static let clean = NoiseLevel(alpha: 1, sigma: 0, time: 0)

    /// The variance-preserving level of the cumulative product ᾱ (Ho et al. 2020, eq. 4).
    public static func variancePreserving(cumulativeAlpha: Double, time: Double) -> NoiseLevel {
        NoiseLevel(alpha: cumulativeAlpha.squareRoot(), sigma: (1 - cumulativeAlpha).squareRoot(), time: time)
    }

    /// The variance-preserving level with the same signal-to-noise ratio as `x = clean + sigma * noise`.
    public static func variancePreserving(sigma: Double, time: Double) -> NoiseLevel {
        let alpha = 1 / (1 + sigma * sigma).squareRoot()
        return NoiseLevel(alpha: alpha, sigma: sigma * alpha, time: time)
    }

    /// The rectified-flow level at `t` in 0 ... 1; the model is told `t * timeScale` (Liu et al. 2022, eq. 1).
    public static func flow(_ t: Double, timeScale: Double = 1) -> NoiseLevel {
        NoiseLevel(alpha: 1 - t, sigma: t, time: t * timeScale)
    }

    /// The variance-exploding level of deviation `sigma`, which the model is told as it is (Karras et al. 2022).
    public static func varianceExploding(sigma: Double) -> NoiseLevel {
        NoiseLevel(alpha: 1, sigma: sigma, time: sigma)
    }

    /// The noise-to-signal ratio σ / α: the sigma of Karras et al.; infinite for pure noise.
    public var noiseToSignal: Double { sigma / alpha }
}
