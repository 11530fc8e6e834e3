import ChoirSampling
import Foundation
import Testing

/// Images that are Gaussian with mean 0 and deviation `c` have a model in closed form, `α c² x / (α² c² + σ²)`, and a
/// probability flow in closed form: `x / √(α² c² + σ²)` stays constant.
@Suite("Convergence on a Gaussian image")
struct ConvergenceTests {
    static let deviation = 0.5

    enum Family: String, CaseIterable {
        /// A flow between the times 0.5 and 0.125.
        case innerFlow
        /// A flow from pure noise to the clean image.
        case wholeFlow
        /// Karras levels of an EDM model, to the least noisy one.
        case exploding
        /// Karras levels of a variance-preserving model, to the least noisy one.
        case preserving
    }

    @Test(
        "The error falls with the order of the method",
        arguments: [SamplerKind.euler, .heun, .ddim, .dpmpp2m],
        Family.allCases
    )
    func order(kind: SamplerKind, family: Family) throws {
        let expected = kind == .heun || kind == .dpmpp2m ? 2.0 : 1.0
        let tolerance =
            switch (family, kind) {
            case (.innerFlow, _): 0.05
            // However many steps a flow takes, those next to t = 0 span the same log-SNR. The error of DPM-Solver++
            // goes with log(n) / n² there, which comes near to second order slowly.
            case (.wholeFlow, .dpmpp2m): 0.3
            default: 0.2
            }
        let errors = try [80, 160, 320].map { try error(kind: kind, family: family, steps: $0) }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            #expect(abs(log2(coarse / fine) - expected) < tolerance, "errors \(errors)")
        }
        #expect(errors[2] < (expected == 2 ? 1e-3 : 3e-2), "errors \(errors)")
    }

    /// The relative error at the end of a family's range.
    private func error(kind: SamplerKind, family: Family, steps: Int) throws -> Double {
        let (schedule, end) =
            switch family {
            case .innerFlow: (try Schedule.flow(steps: steps, start: 0.5), steps * 3 / 4)
            case .wholeFlow: (try Schedule.flow(steps: steps), steps)
            case .exploding: (try Schedule.karras(steps: steps), steps - 1)
            case .preserving: (try TrainingNoise().karras(steps: steps), steps - 1)
            }
        let sampler = try Sampler(kind, schedule: schedule)
        var state = norm(schedule.levels[0])
        var memory = 0.0
        for evaluation in 0..<sampler.evaluationCount where sampler.step(forEvaluation: evaluation) < end {
            let level = sampler.level(forEvaluation: evaluation)
            let clean = level.alpha * Self.deviation * Self.deviation * state / (norm(level) * norm(level))
            let update = sampler.update(forEvaluation: evaluation)
            func sum(_ terms: LinearCombination) -> Double {
                terms.state * state + terms.prediction * clean + terms.memory * memory
            }
            (state, memory) = (sum(update.newState), update.newMemory.map(sum) ?? 0)
        }
        return abs(state / norm(schedule.levels[end]) - 1)
    }

    private func norm(_ level: NoiseLevel) -> Double {
        hypot(level.alpha * Self.deviation, level.sigma)
    }
}
