import Foundation

/// What stands around the Cosmos network at one noise level, in `Float` outside of the graph: in bfloat16 a dark sky
/// would show steps.
///
/// Karras et al. 2022, section 5, for x_t = (1 - t) x + t n and pictures x of mean m and deviation s:
///
///     v = (1 - t)² s² + t²
///     input = (x_t - (1 - t) m) / √v
///     clean = m + (1 - t) s² / v · (x_t - (1 - t) m) + s t / √v · output
public struct CosmosPreconditioning: Hashable, Sendable {
    /// input = noisy · `inputScale` + `inputShift`.
    public let inputScale: Float
    /// input = noisy · `inputScale` + `inputShift`.
    public let inputShift: Float
    /// clean = noisy · `skipScale` + output · `outputScale` + `cleanShift`.
    public let skipScale: Float
    /// clean = noisy · `skipScale` + output · `outputScale` + `cleanShift`.
    public let outputScale: Float
    /// clean = noisy · `skipScale` + output · `outputScale` + `cleanShift`.
    public let cleanShift: Float

    /// The coefficients at flow time `t` in 0 ... 1.
    public init(time t: Double, picture: CosmosConfiguration.Picture) {
        let (mean, deviation) = (picture.mean, picture.deviation)
        let variance = (1 - t) * (1 - t) * deviation * deviation + t * t
        let shift = (1 - t) * mean
        let skip = (1 - t) * deviation * deviation / variance
        inputScale = Float(1 / variance.squareRoot())
        inputShift = Float(-shift / variance.squareRoot())
        skipScale = Float(skip)
        outputScale = Float(deviation * t / variance.squareRoot())
        cleanShift = Float(mean - skip * shift)
    }

    /// How the network is told the noise level: sines, then cosines, of `t` times each frequency.
    public static func features(time t: Double, network: CosmosConfiguration.Network) -> [Float] {
        let octaves = log(network.highestFrequency) / Double(max(network.frequencies - 1, 1))
        let angles = (0..<network.frequencies).map { t * exp(octaves * Double($0)) }
        return angles.map { Float(sin($0)) } + angles.map { Float(cos($0)) }
    }
}
