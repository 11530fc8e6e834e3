import Foundation

/// What stands around the Cosmos network at one noise level, in `Float` outside of the graph: in bfloat16 a dark sky
/// would show steps.
///
/// For x_t = (1 - t) x + t n and pictures x that deviate by s from what is expected of them, m: the coarser scale's
/// picture enlarged where there is one, else the mean of all pictures.
///
///     v = (1 - t)² s² + t²
///     input = (x_t - (1 - t) m) / √v
///     clean = m + s · output
///
/// The input is that of Karras et al. 2022, section 5. Their output is not: it adds a share of the noisy picture, from
/// which the network must take the noise away again. Most of the sky is black, which is said easily and not so easily
/// reached as a difference of noises (prediction of the clean picture: Li and He 2025).
public struct CosmosPreconditioning: Hashable, Sendable {
    /// How much of the expected picture is in the noisy one: input = (noisy - `expectedScale` · expected) · `inputScale`.
    public let expectedScale: Float
    /// input = (noisy - `expectedScale` · expected) · `inputScale`.
    public let inputScale: Float
    /// clean = expected + output · `outputScale`.
    public let outputScale: Float

    /// The coefficients at flow time `t` in 0 ... 1, for pictures that deviate so much from what is expected of them.
    public init(time t: Double, deviation: Double) {
        let variance = (1 - t) * (1 - t) * deviation * deviation + t * t
        expectedScale = Float(1 - t)
        inputScale = Float(1 / variance.squareRoot())
        outputScale = Float(deviation)
    }

    /// How the network is told the noise level: sines, then cosines, of `t` times each frequency.
    public static func features(time t: Double, network: CosmosConfiguration.Network) -> [Float] {
        let octaves = log(network.highestFrequency) / Double(max(network.frequencies - 1, 1))
        let angles = (0..<network.frequencies).map { t * exp(octaves * Double($0)) }
        return angles.map { Float(sin($0)) } + angles.map { Float(cos($0)) }
    }
}
