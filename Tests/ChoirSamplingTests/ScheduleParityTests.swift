import ChoirSampling
import Testing

@Suite("Schedules against diffusers")
struct ScheduleParityTests {
    @Test("Cumulative alphas equal diffusers'")
    func cumulativeAlphas() throws {
        for fixture in try Fixture.load("schedules", as: Fixture.Schedules.self).training {
            let growth = try #require(TrainingNoise.Growth(rawValue: fixture.growth))
            let noise = try TrainingNoise(growth: growth, rescalesToZeroSignal: fixture.rescales)
            for (step, expected) in zip(fixture.steps, fixture.cumulativeAlphas) {
                let found = noise.cumulativeAlphas[step]
                #expect(isClose(found, expected, tolerance: 1e-6), "\(fixture.growth) \(fixture.rescales) \(step)")
            }
        }
    }

    @Test("Every spacing visits the times and noise of diffusers")
    func spacings() throws {
        let noise = try TrainingNoise()
        for fixture in try Fixture.load("schedules", as: Fixture.Schedules.self).spacings {
            let spacing = try #require(TimestepSpacing(rawValue: fixture.spacing))
            let schedule = try noise.schedule(steps: fixture.steps, spacing: spacing, offset: fixture.offset)
            check(schedule, times: fixture.times, sigmas: fixture.sigmas)
        }
    }

    @Test("Karras levels of a variance-preserving model equal diffusers'")
    func karras() throws {
        let noise = try TrainingNoise()
        for fixture in try Fixture.load("schedules", as: Fixture.Schedules.self).karras {
            check(try noise.karras(steps: fixture.steps), times: fixture.times, sigmas: fixture.sigmas)
        }
    }

    @Test("Shifted flow levels equal diffusers'")
    func flow() throws {
        for fixture in try Fixture.load("schedules", as: Fixture.Schedules.self).flow {
            let schedule = try Schedule.flow(
                steps: fixture.steps,
                shift: fixture.shift,
                start: fixture.start,
                timeScale: 1000
            )
            #expect(schedule.levels.count == fixture.sigmas.count)
            for (level, sigma) in zip(schedule.levels, fixture.sigmas) {
                #expect(isClose(level.sigma, sigma, tolerance: 1e-6))
                #expect(isClose(level.alpha, 1 - sigma, tolerance: 1e-6))
            }
            for (level, time) in zip(schedule.levels, fixture.times) {
                #expect(isClose(level.time, time, tolerance: 1e-6))
            }
        }
    }

    private func check(_ schedule: Schedule, times: [Double], sigmas: [Double]) {
        #expect(schedule.steps == times.count)
        #expect(schedule.levels.count == sigmas.count)
        for (level, sigma) in zip(schedule.levels, sigmas) {
            #expect(isClose(level.noiseToSignal, sigma, tolerance: 1e-6))
            #expect(isClose(level.alpha * level.alpha + level.sigma * level.sigma, 1, tolerance: 1e-12))
        }
        for (level, time) in zip(schedule.levels, times) {
            #expect(isClose(level.time, time, tolerance: 1e-6))
        }
    }
}
