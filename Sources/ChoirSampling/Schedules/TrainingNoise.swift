#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The noise that a variance-preserving model was trained with: ᾱ for each training step (Ho et al. 2020, eq. 4).
public struct TrainingNoise: Hashable, Sendable {
    /// How β grows over the training steps.
    public enum Growth: String, Hashable, Sendable, CaseIterable {
        /// β grows linearly (Ho et al. 2020, section 4).
        case linear
        /// √β grows linearly (Rombach et al. 2022: Stable Diffusion).
        case scaledLinear
    }

    /// ᾱ by training step: products of 1 - β, falling from nearly 1 to nearly (or exactly) 0.
    public let cumulativeAlphas: [Double]

    /// Works out ᾱ from a range of β; the defaults are those of Stable Diffusion.
    ///
    /// - Parameters:
    ///   - growth: how β grows.
    ///   - betaStart: β of the first training step, above 0.
    ///   - betaEnd: β of the last training step, at least `betaStart` and below 1.
    ///   - steps: the number of training steps, 2 ... 100 000.
    ///   - rescalesToZeroSignal: whether the last step is moved to pure noise (`rescaledToZeroSignal`).
    /// - Throws: `SamplingError` if a setting is out of its range.
    public init(
        growth: Growth = .scaledLinear,
        betaStart: Double = 0.00085,
        betaEnd: Double = 0.012,
        steps: Int = 1000,
        rescalesToZeroSignal: Bool = false
    ) throws(SamplingError) {
        guard betaStart > 0, betaEnd >= betaStart, betaEnd < 1, steps >= 2, steps <= 100_000 else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "training noise",
                message: """
                    found beta from \(betaStart) to \(betaEnd) over \(steps) steps, \
                    expected 0 < start <= end < 1 and 2 to 100000 steps
                    """
            )
        }
        let squared = growth == .scaledLinear
        let first = squared ? betaStart.squareRoot() : betaStart
        let last = squared ? betaEnd.squareRoot() : betaEnd
        var product = 1.0
        let alphas = (0..<steps).map { step in
            let value = first + (last - first) * Double(step) / Double(steps - 1)
            product *= 1 - (squared ? value * value : value)
            return product
        }
        cumulativeAlphas = rescalesToZeroSignal ? TrainingNoise.rescaledToZeroSignal(alphas) : alphas
    }

    /// ᾱ moved so that the last training step is pure noise and the first unchanged (Lin et al. 2023, algorithm 1).
    ///
    /// √ᾱ is shifted by its last value and scaled back to its first. Only models that predict `.velocity` or `.clean`
    /// can start from pure noise.
    static func rescaledToZeroSignal(_ cumulativeAlphas: [Double]) -> [Double] {
        let roots = cumulativeAlphas.map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last, first > last else { return cumulativeAlphas }
        return roots.map { root in
            let rescaled = (root - last) * first / (first - last)
            return rescaled * rescaled
        }
    }

    /// The noise-to-signal ratio of a training step: √((1 - ᾱ) / ᾱ).
    public func noiseToSignal(step: Int) -> Double {
        ((1 - cumulativeAlphas[step]) / cumulativeAlphas[step]).squareRoot()
    }

    /// The level at a time between training steps, the noise-to-signal ratio interpolated linearly as in diffusers.
    ///
    /// Towards pure noise, whose ratio is infinite, there is nothing to interpolate: the less noisy step is taken.
    func level(time: Double) -> NoiseLevel {
        let lower = min(max(Int(time), 0), cumulativeAlphas.count - 1)
        let fraction = time - Double(lower)
        guard fraction > 0, lower + 1 < cumulativeAlphas.count, cumulativeAlphas[lower + 1] > 0 else {
            return .variancePreserving(cumulativeAlpha: cumulativeAlphas[lower], time: time)
        }
        let sigma = noiseToSignal(step: lower) * (1 - fraction) + noiseToSignal(step: lower + 1) * fraction
        return .variancePreserving(sigma: sigma, time: time)
    }

    /// The time whose noise-to-signal ratio is `sigma`, interpolated in its logarithm (k-diffusion's `sigma_to_t`).
    func time(noiseToSignal sigma: Double) -> Double {
        var lower = 0
        var upper = cumulativeAlphas.count - 1
        while upper - lower > 1 {
            let middle = (lower + upper) / 2
            if noiseToSignal(step: middle) <= sigma { lower = middle } else { upper = middle }
        }
        let low = log(noiseToSignal(step: lower))
        let high = log(noiseToSignal(step: upper))
        // An infinite ratio stands for pure noise, which no finite deviation reaches.
        guard high.isFinite else { return Double(lower) }
        let fraction = (log(sigma) - low) / (high - low)
        return Double(lower) + min(max(fraction, 0), 1)
    }
}
