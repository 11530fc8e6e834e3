#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension SchedulerConfiguration {
    /// The noise levels that a number of steps visits, as diffusers' scheduler for a sampler has them.
    ///
    /// - Parameters:
    ///   - kind: the sampler that will walk them; the configuration's own if nil. diffusers' schedulers choose
    ///     different levels from the same settings, so a schedule is for one sampler.
    ///   - steps: how many, at most the number of training steps; for LCM at most `original_inference_steps`.
    ///   - spacing: which levels, in place of what the configuration says of them; nil for that.
    /// - Throws: `SamplingError` if the number of steps is out of range, or the sampler does not know the spacing.
    public func schedule(
        _ kind: SamplerKind? = nil,
        steps: Int,
        spacing: StepSpacing? = nil
    ) throws(SamplingError) -> Schedule {
        let kind = kind ?? sampler
        try spacing?.check(kind)
        // diffusers has no multistep consistency sampling for these models; the levels of LCM are meant for the like.
        let settings = try SchedulerSettings(fields, for: kind == .consistency ? .lcm : kind, spacing: spacing)
        switch settings.kind {
        case .euler, .heun, .eulerAncestral: return try settings.sigmaSchedule(steps: steps)
        case .ddim: return try settings.ddimSchedule(steps: steps)
        case .dpmpp2m: return try settings.multistepSchedule(steps: steps)
        case .lcm, .consistency: return try settings.consistencySchedule(steps: steps)
        }
    }
}

extension SchedulerSettings {
    /// Matches diffusers `scheduling_euler_discrete.py`, `_heun_discrete.py` and `_euler_ancestral_discrete.py`, which
    /// keep their state as `x / α`.
    func sigmaSchedule(steps: Int) throws(SamplingError) -> Schedule {
        let noise = try trainingNoise()
        let times = try noise.times(steps: steps, spacing: spacing, offset: offset)
        var levels = times.map { noise.level(time: $0) }
        if usesKarrasSigmas, steps > 1 {
            levels = try karrasLevels(
                noise,
                steps: steps,
                minimum: levels[steps - 1].noiseToSignal,
                maximum: levels[0].noiseToSignal
            )
        }
        let last = NoiseLevel.varianceExploding(sigma: noise.noiseToSignal(step: 0))
        return try Schedule(
            path: .variancePreserving,
            noisyLevels: levels,
            // What diffusers decodes in the end is `x / α`.
            final: endsAtLeastSigma ? NoiseLevel(alpha: 1, sigma: last.sigma, time: 0) : .clean,
            // Its first noise is scaled by √(σ² + 1) for this spacing, and by σ for the others.
            startDeviation: spacing == .leading ? 1 : nil
        )
    }

    /// Matches diffusers `scheduling_ddim.py`: a step leads `N / n` training steps down, rounded down, even where the
    /// next step starts from another time.
    func ddimSchedule(steps: Int) throws(SamplingError) -> Schedule {
        let noise = try trainingNoise()
        var times = try noise.times(steps: steps, spacing: spacing, offset: offset)
        if spacing == .linspace, steps > 1 {
            let stride = Double(trainingSteps - 1) / Double(steps - 1)
            times = (0..<steps).reversed().map { (Double($0) * stride).rounded(.toNearestOrEven) }
        }
        let final = setsAlphaToOne ? NoiseLevel.clean : noise.level(time: 0)
        let stride = Double(trainingSteps / steps)
        return try Schedule(
            path: .variancePreserving,
            noisyLevels: times.map { noise.level(time: $0) },
            final: final,
            targets: times.map { $0 >= stride ? noise.level(time: $0 - stride) : final },
            startDeviation: 1
        )
    }

    /// Matches diffusers `scheduling_dpmsolver_multistep.py`: whole training times, the least noisy of `n + 1` left out
    /// unless the spacing is `trailing`.
    func multistepSchedule(steps: Int) throws(SamplingError) -> Schedule {
        let noise = try trainingNoise()
        try Schedule.check(steps: steps, maximum: trainingSteps - 1)
        let ratios = (0..<trainingSteps).map { noise.noiseToSignal(step: $0) }
        let levels: [NoiseLevel]
        if usesKarrasSigmas, steps > 1 {
            levels = try karrasLevels(noise, steps: steps, minimum: ratios[0], maximum: ratios[trainingSteps - 1])
                .map { level in
                    let whole = level.time.rounded(roundsTimes ? .toNearestOrEven : .down)
                    return NoiseLevel(alpha: level.alpha, sigma: level.sigma, time: whole)
                }
        } else {
            // Training steps with a log-SNR below the least one are left out.
            let end = ratios.firstIndex { -log($0) < leastLambda } ?? trainingSteps
            levels = try multistepTimes(steps: steps, end: end).map { noise.level(time: $0) }
        }
        return try Schedule(
            path: .variancePreserving,
            noisyLevels: levels,
            final: endsAtLeastSigma ? noise.level(time: 0) : .clean,
            startDeviation: 1
        )
    }

    private func multistepTimes(steps: Int, end: Int) throws(SamplingError) -> [Double] {
        switch spacing {
        case .linspace:
            let stride = Double(end - 1) / Double(steps)
            return (1...steps).reversed().map { (Double($0) * stride).rounded(.toNearestOrEven) }
        case .leading:
            let stride = end / (steps + 1)
            guard steps * stride + offset < trainingSteps else {
                throw SamplingError(
                    code: .invalidSetting,
                    subject: "steps offset",
                    message: "found \(offset), expected at most \(trainingSteps - 1 - steps * stride) at \(steps) steps"
                )
            }
            return (1...steps).reversed().map { Double($0 * stride + offset) }
        case .trailing:
            let stride = Double(trainingSteps) / Double(steps)
            return TrainingNoise.trailingTimes(from: end, stride: stride, atMost: steps)
        }
    }

    /// Matches diffusers `scheduling_lcm.py`: of the times that the model was distilled at, as many as there are steps,
    /// spread evenly.
    func consistencySchedule(steps: Int) throws(SamplingError) -> Schedule {
        try Schedule.check(steps: steps, maximum: min(originalSteps, Schedule.maximumSteps))
        let noise = try trainingNoise()
        let skip = trainingSteps / originalSteps
        let stride = Double(originalSteps) / Double(steps)
        let levels = (0..<steps).map { index in
            noise.level(time: Double((originalSteps - Int(Double(index) * stride)) * skip - 1))
        }
        return try Schedule(
            path: .variancePreserving,
            noisyLevels: levels,
            startDeviation: 1,
            consistencyTimeScale: timestepScaling
        )
    }

    /// The deviations between those of the configuration, which go before the given ones.
    private func karrasLevels(
        _ noise: TrainingNoise,
        steps: Int,
        minimum: Double,
        maximum: Double
    ) throws(SamplingError) -> [NoiseLevel] {
        try Schedule.karrasSigmas(
            steps: steps,
            minimum: leastSigma ?? minimum,
            maximum: mostSigma ?? maximum
        ).map { sigma in
            .variancePreserving(sigma: sigma, time: noise.time(noiseToSignal: sigma))
        }
    }
}
