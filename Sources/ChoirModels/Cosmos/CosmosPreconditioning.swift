import Foundation

/// What stands around the Cosmos network at one noise level, in `Float` outside of the graph: in bfloat16 a dark sky
/// would show steps.
///
/// Karras et al. 2022, section 5, for x_t = (1 - t) x + t n and pictures x that deviate by s from what is expected of
/// them, m: the coarser scale's picture enlarged where there is one, else the mean of all pictures.
///
///     v = (1 - t)² s² + t²
///     rest = x_t - (1 - t) m
///     input = rest / √v
///     clean = m + (1 - t) s² / v · rest + s t / √v · output
public struct CosmosPreconditioning: Hashable, Sendable {
    /// How much of the expected picture is in the noisy one: rest = noisy - `expectedScale` · expected.
    public let expectedScale: Float
    /// input = rest · `inputScale`.
    public let inputScale: Float
    /// clean = expected + rest · `skipScale` + output · `outputScale`.
    public let skipScale: Float
    /// clean = expected + rest · `skipScale` + output · `outputScale`.
    public let outputScale: Float

    /// The coefficients at flow time `t` in 0 ... 1, for pictures that deviate so much from what is expected of them.
    public init(time t: Double, deviation: Double) {
        let variance = (1 - t) * (1 - t) * deviation * deviation + t * t
        expectedScale = Float(1 - t)
        inputScale = Float(1 / variance.squareRoot())
        skipScale = Float((1 - t) * deviation * deviation / variance)
        outputScale = Float(deviation * t / variance.squareRoot())
    }

    /// How the network is told the noise level: sines, then cosines, of `t` times each frequency.
    public static func features(time t: Double, network: CosmosConfiguration.Network) -> [Float] {
        let octaves = log(network.highestFrequency) / Double(max(network.frequencies - 1, 1))
        let angles = (0..<network.frequencies).map { t * exp(octaves * Double($0)) }
        return angles.map { Float(sin($0)) } + angles.map { Float(cos($0)) }
    }
}
