import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@Suite("Samplers against diffusers")
struct TrajectoryParityTests {
    static let trajectories: [Fixture.Trajectory] = (try? Fixture.load("trajectories")) ?? []

    @Test("Every sampler is compared with every prediction it can use")
    func coverage() {
        // The others are compared by configurations: SchedulerParityTests.
        #expect(Set(Self.trajectories.map(\.sampler)) == [.euler, .heun, .ddim, .dpmpp2m, .consistency])
        #expect(Set(Self.trajectories.map(\.parameterization)) == Set(Parameterization.allCases))
        #expect(Self.trajectories.count == 50)
    }

    @Test("A whole loop passes through the states of diffusers", arguments: trajectories)
    func trajectory(_ fixture: Fixture.Trajectory) throws {
        let schedule = try schedule(fixture.schedule)
        try fixture.parameterization.check(schedule)
        var sampler = try Sampler(fixture.sampler, schedule: schedule, eta: fixture.eta)
        #expect(sampler.evaluationCount == fixture.states.count)
        func scale(_ level: NoiseLevel) -> Float {
            fixture.stateForm == "varianceExploding" ? Float(level.alpha) : 1
        }
        let shape: Shape = [1, 2, 2, 2]
        let first = scale(schedule.levels[0])
        var state = Tensor(shape: shape, elements: fixture.initial.map { $0 * first })
        while let level = sampler.nextLevel {
            let index = sampler.evaluation
            // diffusers' DPM-Solver rounds or cuts the time that it tells the model to a whole number.
            let tolerance = fixture.sampler == .dpmpp2m ? 1 : 1e-3
            let time = fixture.times[index]
            #expect(abs(level.time - Double(time)) < tolerance)
            var prediction =
                fixture.sampler == .consistency
                ? consistencyModel(state, sigma: time) : dummyModel(state, time: time)
            fixture.parameterization.convertToClean(&prediction, state: state, at: level)
            let isStochastic = fixture.eta > 0 || fixture.sampler == .consistency
            #expect(sampler.needsNoise == (isStochastic && index < fixture.states.count - 1))
            let noise = fixture.noises.isEmpty ? nil : Tensor(shape: shape, elements: fixture.noises[index])
            sampler.advance(&state, denoised: prediction, noise: noise)

            let factor = scale(sampler.nextLevel ?? .clean)
            let expected = fixture.states[index].map { $0 * factor }
            let magnitude = expected.map(abs).max() ?? 0
            let difference = zip(state.elements, expected).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference <= 1e-5 * magnitude, "evaluation \(index): \(difference / magnitude)")
        }
    }

    /// The formula in the place of a model, as in `Scripts/fixtures/sampling.py`.
    private func dummyModel(_ state: Tensor, time: Float) -> Tensor {
        Tensor(
            shape: state.shape,
            elements: state.elements.map { 0.8 * $0 * (time / (time + 1)) + 0.2 * sin(3 * $0) }
        )
    }

    /// The formula preconditioned as consistency models are (Song et al. 2023, appendix C), with deviations of 0.5 for
    /// data and 0.002 for the least noise.
    private func consistencyModel(_ state: Tensor, sigma: Float) -> Tensor {
        let deviation = (sigma * sigma + 0.25).squareRoot()
        let skip = 0.25 / ((sigma - 0.002) * (sigma - 0.002) + 0.25)
        let out = (sigma - 0.002) * 0.5 / deviation
        let scaled = Tensor(shape: state.shape, elements: state.elements.map { $0 / deviation })
        let output = dummyModel(scaled, time: sigma)
        return Tensor(
            shape: state.shape, elements: zip(state.elements, output.elements).map { skip * $0 + out * $1 })
    }

    private func schedule(_ fixture: Fixture.Trajectory.Levels) throws -> Schedule {
        switch fixture.type {
        case "training":
            let spacing = try #require(TimestepSpacing(rawValue: fixture.spacing ?? ""))
            return try TrainingNoise(rescalesToZeroSignal: fixture.rescales ?? false)
                .schedule(steps: #require(fixture.steps), spacing: spacing, offset: #require(fixture.offset))
        case "karras":
            return try TrainingNoise().karras(steps: #require(fixture.steps))
        case "consistency":
            return try .karras(steps: #require(fixture.steps), visitsMinimum: false)
        case "flow":
            return try .flow(
                steps: #require(fixture.steps),
                shift: #require(fixture.shift),
                start: #require(fixture.start),
                timeScale: 1000
            )
        default:
            let levels = try #require(fixture.levels)
            return try Schedule(path: .flow, noisyLevels: levels.map { .flow($0, timeScale: 1000) })
        }
    }
}
