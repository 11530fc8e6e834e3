import ChoirTensor
import Testing

@testable import ChoirSampling

/// Schedules that two networks share.
@Suite struct SchedulePartTests {
    private static func schedule(_ kind: SamplerKind) throws -> Schedule {
        try SchedulerConfiguration.singleFile(isXL: true, predictsVelocity: false).schedule(kind, steps: 9)
    }

    /// A prediction that depends on the state and the level.
    private static func clean(_ state: Tensor, _ level: NoiseLevel) -> Tensor {
        Tensor(shape: state.shape, elements: state.elements.map { 0.3 * $0 + 0.1 * Float(level.sigma) })
    }

    private static func walk(_ kind: SamplerKind, _ schedule: Schedule, from state: Tensor) throws -> Tensor {
        var sampler = try Sampler(kind, schedule: schedule)
        var state = state
        let noise = Tensor(shape: state.shape, elements: state.elements.map { 0.5 - $0 })
        while let level = sampler.nextLevel {
            let denoised = clean(state, level)
            sampler.advance(&state, denoised: denoised, noise: noise)
        }
        return state
    }

    @Test(arguments: [SamplerKind.euler, .ddim], [1, 4, 8])
    func `two parts of a schedule lead where the whole does`(kind: SamplerKind, cut: Int) throws {
        let whole = try Self.schedule(kind)
        let (first, second) = (try whole.part(0..<cut), try whole.part(cut..<9))
        #expect(first.steps == cut && second.steps == 9 - cut && first.isContinued && !second.isContinued)
        #expect(first.startDeviation == whole.startDeviation && first.targets + second.targets == whole.targets)
        let start = Tensor(shape: [3], elements: [0.5, -1, 2])
        let middle = try Self.walk(kind, first, from: start)
        #expect(try Self.walk(kind, second, from: middle) == Self.walk(kind, whole, from: start))
    }

    /// The last step of DPM-Solver++ in few steps is of the first order, but not where another part follows.
    @Test func `the last step of a part that is continued is like any other`() throws {
        let whole = try Self.schedule(.dpmpp2m)
        let part = try Sampler(.dpmpp2m, schedule: whole.part(0..<4))
        let all = try Sampler(.dpmpp2m, schedule: whole)
        #expect(part.update(forEvaluation: 3).newState == all.update(forEvaluation: 3).newState)
        #expect(part.update(forEvaluation: 3).readsMemory && !part.update(forEvaluation: 3).remembers)
        #expect(!all.update(forEvaluation: 8).readsMemory)
    }

    @Test func `the whole is itself, and steps that there are not are refused`() throws {
        let whole = try Self.schedule(.euler)
        #expect(try whole.part(0..<9) == whole)
        for steps in [0..<0, 3..<3, 0..<10, -1..<4] {
            #expect(throws: SamplingError.self) { _ = try whole.part(steps) }
        }
    }
}
