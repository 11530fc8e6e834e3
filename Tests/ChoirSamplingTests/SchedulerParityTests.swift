import ChoirSampling
import ChoirTensor
import Foundation
import Testing

/// Whole loops of diffusers' schedulers, made from configurations like those of published checkpoints.
@Suite("Scheduler configurations against diffusers")
struct SchedulerParityTests {
    struct Recorded: Decodable, Sendable {
        struct Trajectory: Decodable, Sendable, CustomTestStringConvertible {
            let configuration: String
            let sampler: SamplerKind
            let steps: Int
            let eta: Double
            let times: [Float]
            let states: [[Float]]
            let stateForm: String
            var testDescription: String { "\(configuration), \(sampler.rawValue), \(steps) steps, eta \(eta)" }
        }
        struct Times: Decodable, Sendable {
            let spacing: String
            let sampler: SamplerKind
            let steps: Int
            let times: [Double]
        }
        let configurations: [String: String]
        let initial: [Float]
        let noises: [[Float]]
        let trajectories: [Trajectory]
        let times: [Times]
    }

    static let recorded: Recorded? = try? Fixture.load("schedulers")
    static let shape: Shape = [1, 2, 2, 2]

    static func configuration(_ name: String) throws -> SchedulerConfiguration {
        let text = try #require(recorded?.configurations[name])
        return try SchedulerConfiguration(json: [UInt8](text.utf8), path: name)
    }

    @Test("Every configuration is walked by every sampler")
    func coverage() throws {
        let recorded = try #require(Self.recorded)
        #expect(recorded.configurations.count == 13)
        #expect(recorded.trajectories.count == 97)
        // diffusers has consistency sampling only for other models: TrajectoryParityTests.
        #expect(Set(recorded.trajectories.map(\.sampler)) == Set(SamplerKind.allCases).subtracting([.consistency]))
    }

    @Test("A loop started from noise passes through the states of diffusers", arguments: recorded?.trajectories ?? [])
    func trajectory(_ expected: Recorded.Trajectory) throws {
        let recorded = try #require(Self.recorded)
        let configuration = try Self.configuration(expected.configuration)
        let schedule = try configuration.schedule(expected.sampler, steps: expected.steps)
        var sampler = try Sampler(expected.sampler, schedule: schedule, eta: expected.eta)
        #expect(sampler.evaluationCount == expected.states.count)
        let isExploding = expected.stateForm == "varianceExploding"

        // At a noise-to-signal ratio of 4096 diffusers' float32 states, divided by alpha, are less exact than ours.
        let tolerance: Float = isExploding && schedule.levels[0].alpha < 1e-3 ? 5e-5 : 1e-5

        let start = Float(schedule.startDeviation)
        var state = Tensor(shape: Self.shape, elements: recorded.initial.map { $0 * start })
        while let level = sampler.nextLevel {
            let index = sampler.evaluation
            let time = expected.times[index]
            #expect(abs(level.time - Double(time)) < 2e-3, "evaluation \(index): \(level.time), expected \(time)")
            var prediction = Self.dummyModel(state, time: time)
            configuration.parameterization.convertToClean(&prediction, state: state, at: level)
            let noise = Tensor(shape: Self.shape, elements: recorded.noises[index])
            let isRandom = expected.sampler == .eulerAncestral || expected.sampler == .lcm
            if !isRandom, expected.eta == 0 { #expect(!sampler.needsNoise) }
            // diffusers keeps x / α; a Heun step's middle is at the level after it, like its end.
            let reached = schedule.targets[sampler.step(forEvaluation: index)]
            sampler.advance(&state, denoised: prediction, noise: noise)
            let scale = isExploding ? Float(reached.alpha) : 1
            let target = expected.states[index].map { $0 * scale }
            let magnitude = target.map(abs).max() ?? 0
            let difference = zip(state.elements, target).map { abs($0 - $1) }.max() ?? .infinity
            #expect(difference <= tolerance * magnitude, "evaluation \(index): \(difference / magnitude)")
        }
    }

    @Test("Samplers visit the times of diffusers at any number of steps")
    func times() throws {
        for expected in try #require(Self.recorded).times {
            let text = """
                {"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
                "beta_end": 0.012, "steps_offset": 1, "timestep_spacing": "\(expected.spacing)"}
                """
            let configuration = try SchedulerConfiguration(json: [UInt8](text.utf8), path: "test")
            let found = try configuration.schedule(expected.sampler, steps: expected.steps)
            let times = found.levels.dropLast().map(\.time)
            let largest = zip(times, expected.times).map { abs($0 - $1) }.max() ?? .infinity
            #expect(times.count == expected.times.count)
            #expect(largest < 1e-4, "\(expected.sampler) \(expected.spacing) \(expected.steps): \(times)")
        }
    }

    private static func dummyModel(_ state: Tensor, time: Float) -> Tensor {
        Tensor(
            shape: state.shape,
            elements: state.elements.map { 0.8 * $0 * (time / (time + 1)) + 0.2 * sin(3 * $0) }
        )
    }
}
