import ChoirSampling
import Testing

@Suite("Schedules")
struct ScheduleTests {
    @Test("Every schedule falls strictly in noise and ends clean", arguments: [1, 2, 3, 20, 999, 1000])
    func schedulesFall(steps: Int) throws {
        let noise = try TrainingNoise()
        var schedules = try TimestepSpacing.allCases.map { try noise.schedule(steps: steps, spacing: $0) }
        schedules.append(try noise.karras(steps: steps))
        schedules.append(try .karras(steps: steps))
        schedules.append(try .flow(steps: steps, shift: 3))
        schedules.append(
            try TrainingNoise(rescalesToZeroSignal: true).schedule(steps: steps, spacing: .trailing)
        )
        for schedule in schedules {
            #expect(schedule.steps == steps)
            #expect(schedule.levels.last == .clean)
            for (level, next) in zip(schedule.levels, schedule.levels.dropFirst()) {
                #expect(level.noiseToSignal > next.noiseToSignal)
            }
        }
    }

    @Test("Rescaled training noise ends with no signal and starts unchanged")
    func zeroTerminalSignal() throws {
        let (plain, rescaled) = (try TrainingNoise(), try TrainingNoise(rescalesToZeroSignal: true))
        #expect(rescaled.cumulativeAlphas.last == 0)
        #expect(isClose(rescaled.cumulativeAlphas[0], plain.cumulativeAlphas[0], tolerance: 1e-15))
        let first = try rescaled.schedule(steps: 10).levels[0]
        #expect(first == NoiseLevel(alpha: 0, sigma: 1, time: 999))
    }

    @Test("Karras levels run from the given maximum to the given minimum")
    func karrasEnds() throws {
        let sigmas = try Schedule.karrasSigmas(steps: 18)
        #expect(isClose(sigmas[0], 80, tolerance: 1e-12))
        #expect(isClose(sigmas[17], 0.002, tolerance: 1e-12))
        // Half way in sigma^(1/7): ((80^(1/7) + 0.002^(1/7)) / 2)^7.
        #expect(isClose(try Schedule.karrasSigmas(steps: 3)[1], 2.5152189, tolerance: 1e-6))
    }

    @Test("A flow schedule starts at its start time, shifted")
    func flowStart() throws {
        #expect(try Schedule.flow(steps: 4).levels.map(\.sigma) == [1, 0.75, 0.5, 0.25, 0])
        #expect(try Schedule.flow(steps: 2, start: 0.5).levels.map(\.sigma) == [0.5, 0.25, 0])
        #expect(try Schedule.flow(steps: 1, shift: 3, start: 0.5).levels[0].sigma == 0.75)
        #expect(try Schedule.flow(steps: 1, start: 0.5, timeScale: 1000).levels[0].time == 500)
    }

    @Test(
        "A partial schedule keeps the last steps",
        arguments: [(1.0, 10), (0.55, 5), (0.5, 5), (0.3, 3), (0.01, 1)]
    )
    func partial(strength: Double, steps: Int) throws {
        let whole = try TrainingNoise().schedule(steps: 10)
        let part = try whole.partial(strength: strength)
        #expect(part.levels == Array(whole.levels.suffix(steps + 1)))
    }

    @Test("Settings out of range are refused by name")
    func refusals() throws {
        let noise = try TrainingNoise()
        let schedule = try noise.schedule(steps: 4)
        func expectRefusal(_ subject: String, _ body: () throws -> Void) {
            let error = #expect(throws: SamplingError.self) { try body() }
            #expect(error?.code == .invalidSetting)
            #expect(error?.subject == subject)
        }
        for steps in [0, -1, Int.min, 10_001, Int.max] {
            expectRefusal("steps") { _ = try Schedule.flow(steps: steps) }
            expectRefusal("steps") { _ = try Schedule.karras(steps: steps) }
            expectRefusal("steps") { _ = try noise.schedule(steps: steps) }
            expectRefusal("steps") { _ = try noise.karras(steps: steps) }
        }
        expectRefusal("steps") { _ = try noise.schedule(steps: 1001) }
        expectRefusal("steps") { _ = try Schedule(path: .flow, noisyLevels: []) }
        expectRefusal("schedule") { _ = try Schedule(path: .flow, noisyLevels: [.flow(0.5), .flow(0.5)]) }
        expectRefusal("schedule") { _ = try Schedule(path: .flow, noisyLevels: [.flow(0.5), .flow(0)]) }
        expectRefusal("schedule") { _ = try Schedule(path: .flow, noisyLevels: [.flow(.nan)]) }
        expectRefusal("schedule") {
            _ = try Schedule(path: .varianceExploding, noisyLevels: [.varianceExploding(sigma: .infinity)])
        }
        expectRefusal("steps offset") { _ = try noise.times(steps: 10, spacing: .leading, offset: 100) }
        expectRefusal("steps offset") { _ = try noise.times(steps: 10, spacing: .leading, offset: -1) }
        expectRefusal("training time") { _ = try noise.schedule(times: [1000]) }
        expectRefusal("training time") { _ = try noise.schedule(times: [.nan]) }
        for value in [0, -0.5, 1.5, Double.nan] {
            expectRefusal("start time") { _ = try Schedule.flow(steps: 4, start: value) }
            expectRefusal("strength") { _ = try schedule.partial(strength: value) }
        }
        for value in [0, -1, Double.nan, .infinity] {
            expectRefusal("shift") { _ = try Schedule.flow(steps: 4, shift: value) }
            expectRefusal("Karras schedule") { _ = try Schedule.karras(steps: 4, minimum: value) }
            expectRefusal("Karras schedule") { _ = try Schedule.karras(steps: 4, maximum: value) }
            expectRefusal("Karras schedule") { _ = try Schedule.karras(steps: 4, rho: value) }
            expectRefusal("training noise") { _ = try TrainingNoise(betaStart: value) }
            expectRefusal("training noise") { _ = try TrainingNoise(betaEnd: value) }
        }
        expectRefusal("training noise") { _ = try TrainingNoise(steps: 1) }
        expectRefusal("Karras schedule") { _ = try TrainingNoise(rescalesToZeroSignal: true).karras(steps: 4) }
    }
}
