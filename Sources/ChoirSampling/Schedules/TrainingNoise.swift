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
        /// ᾱ falls like a squared cosine, with β at most 0.999 (Nichol & Dhariwal 2021, eq. 17); the range of β does
        /// not take part.
        case squaredCosine
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
        func line(_ first: Double, _ last: Double) -> [Double] {
            (0..<steps).map { first + (last - first) * Double($0) / Double(steps - 1) }
        }
        let betas =
            switch growth {
            case .linear: line(betaStart, betaEnd)
            case .scaledLinear: line(betaStart.squareRoot(), betaEnd.squareRoot()).map { $0 * $0 }
            case .squaredCosine: TrainingNoise.squaredCosineBetas(steps: steps)
            }
        self.init(checked: betas, rescalesToZeroSignal: rescalesToZeroSignal)
    }

    /// Works out ᾱ from every β.
    ///
    /// - Parameters:
    ///   - betas: β by training step, 2 ... 100 000 numbers above 0 and below 1.
    ///   - rescalesToZeroSignal: whether the last step is moved to pure noise (`rescaledToZeroSignal`).
    /// - Throws: `SamplingError` if there are too few or too many, or one is out of its range.
    public init(betas: [Double], rescalesToZeroSignal: Bool = false) throws(SamplingError) {
        guard (2...100_000).contains(betas.count), betas.allSatisfy({ $0 > 0 && $0 < 1 }) else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "training noise",
                message: "found \(betas.count) betas, expected 2 to 100000 of them, each above 0 and below 1"
            )
        }
        self.init(checked: betas, rescalesToZeroSignal: rescalesToZeroSignal)
    }

    private init(checked betas: [Double], rescalesToZeroSignal: Bool) {
        var product = 1.0
        let alphas = betas.map { beta in
            product *= 1 - beta
            return product
        }
        cumulativeAlphas = rescalesToZeroSignal ? TrainingNoise.rescaledToZeroSignal(alphas) : alphas
    }

    private init(cumulativeAlphas: [Double]) { self.cumulativeAlphas = cumulativeAlphas }

    /// The same noise with a last step that holds a trace of signal, ᾱ = 2⁻²⁴, if it held none.
    ///
    /// diffusers does this for the samplers that work with noise-to-signal ratios, which pure noise makes infinite.
    var withLeastSignal: TrainingNoise {
        guard let last = cumulativeAlphas.last, last < 0x1p-24 else { return self }
        return TrainingNoise(cumulativeAlphas: cumulativeAlphas.dropLast() + [0x1p-24])
    }

    /// β = 1 - f(t + 1) / f(t), at most 0.999, with f = cos²((t / N + 0.008) / 1.008 · π / 2).
    private static func squaredCosineBetas(steps: Int) -> [Double] {
        func signal(_ step: Int) -> Double {
            let cosine = cos((Double(step) / Double(steps) + 0.008) / 1.008 * .pi / 2)
            return cosine * cosine
        }
        return (0..<steps).map { min(1 - signal($0 + 1) / signal($0), 0.999) }
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
