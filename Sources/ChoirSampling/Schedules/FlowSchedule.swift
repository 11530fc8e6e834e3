extension Schedule {
    /// The schedule of a rectified-flow model: equal steps of `t` from `start` down to 0, then shifted.
    ///
    /// The shift spends more steps at high noise, which larger images need: `t' = s t / (1 + (s - 1) t)` (Esser et al.
    /// 2024, "Scaling Rectified Flow Transformers", eq. 23, with `s` = √(m / n) for `m` pixels after training at `n`).
    ///
    /// - Parameters:
    ///   - steps: how many steps, 1 ... `maximumSteps`.
    ///   - shift: `s`, above 0; 1 leaves the steps equal.
    ///   - start: the unshifted time to start from, above 0 and at most 1; below 1 a noised image is painted again.
    ///   - timeScale: the model is told `t' * timeScale` (1000 for the Stable Diffusion 3 family).
    /// - Throws: `SamplingError` if a setting is out of its range.
    public static func flow(
        steps: Int,
        shift: Double = 1,
        start: Double = 1,
        timeScale: Double = 1
    ) throws(SamplingError) -> Schedule {
        try check(steps: steps)
        guard start > 0, start <= 1 else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "start time",
                message: "found \(start), expected a number above 0 and at most 1"
            )
        }
        guard shift > 0, shift.isFinite else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "shift",
                message: "found \(shift), expected a number above 0"
            )
        }
        let levels = (0..<steps).map { index in
            let t = start * Double(steps - index) / Double(steps)
            return NoiseLevel.flow(shifted(t, by: shift), timeScale: timeScale)
        }
        return try Schedule(path: .flow, noisyLevels: levels)
    }

    /// The time `t` after the resolution shift `s`: `s t / (1 + (s - 1) t)` (Esser et al. 2024, eq. 23).
    public static func shifted(_ t: Double, by shift: Double) -> Double {
        shift * t / (1 + (shift - 1) * t)
    }
}
