public import ChoirTensor

/// Leads a state from noise to a clean image: which level to ask the model at next, and what to do with its answer.
///
/// The state, the predictions and the memory are fields of the whole canvas; the loop around a sampler is
///
/// ```swift
/// var sampler = try Sampler(.dpmpp2m, schedule: schedule)
/// while let level = sampler.nextLevel {
///     let denoised = predictClean(state, level)
///     sampler.advance(&state, denoised: denoised)
/// }
/// ```
///
/// Between two evaluations the state, `evaluation` and `memory` are all there is: stored and given to
/// `init(_:schedule:eta:evaluation:memory:)` they continue with the same bits.
public struct Sampler: Hashable, Sendable {
    /// Which sampler this is.
    public let kind: SamplerKind
    /// The noise levels that it visits.
    public let schedule: Schedule
    /// How much noise DDIM adds again, 0 ... 1; 0 for the other samplers.
    public let eta: Double
    /// The index of the next evaluation of the model, from 0; `evaluationCount` when the state is clean.
    public private(set) var evaluation: Int
    /// What the next update needs from earlier ones, in the state's shape; nil if it needs nothing.
    public private(set) var memory: Tensor?

    /// Makes a sampler at the start of a schedule.
    ///
    /// - Throws: `SamplingError` if `eta` is not in 0 ... 1, or not 0 for another sampler than DDIM.
    public init(_ kind: SamplerKind, schedule: Schedule, eta: Double = 0) throws(SamplingError) {
        guard (0...1).contains(eta), eta == 0 || kind == .ddim else {
            throw SamplingError(
                code: .invalidSetting,
                subject: "eta",
                message: "found \(eta) for \(kind.rawValue), expected a number from 0 to 1 for ddim, 0 for others"
            )
        }
        self.kind = kind
        self.schedule = schedule
        self.eta = eta
        evaluation = 0
        memory = nil
    }

    /// Makes a sampler that continues where a stored one stopped.
    ///
    /// - Parameters:
    ///   - kind: which sampler.
    ///   - schedule: the same schedule as before.
    ///   - eta: the same noise as before.
    ///   - evaluation: the index of the next evaluation.
    ///   - memory: what the stored sampler remembered; the caller checks that its shape is the state's.
    /// - Throws: `SamplingError` if `eta` is out of range, the index is not one of this schedule's, or memory is
    ///   missing or not expected at that index.
    public init(
        _ kind: SamplerKind,
        schedule: Schedule,
        eta: Double = 0,
        evaluation: Int,
        memory: Tensor?
    ) throws(SamplingError) {
        try self.init(kind, schedule: schedule, eta: eta)
        guard (0...evaluationCount).contains(evaluation) else {
            throw SamplingError(
                code: .invalidState,
                subject: "sampler state",
                message: "found evaluation \(evaluation), expected 0 to \(evaluationCount)"
            )
        }
        let expected = evaluation > 0 && update(forEvaluation: evaluation - 1).remembers
        guard (memory != nil) == expected else {
            throw SamplingError(
                code: .invalidState,
                subject: "sampler state",
                message: """
                    found \(memory == nil ? "no memory" : "memory") before evaluation \(evaluation) of \
                    \(kind.rawValue), expected \(expected ? "some" : "none")
                    """
            )
        }
        self.evaluation = evaluation
        self.memory = memory
    }

    /// How often the model is evaluated in all.
    public var evaluationCount: Int { kind == .heun ? 2 * schedule.steps - 1 : schedule.steps }

    /// Whether the state is clean and nothing is left to do.
    public var isFinished: Bool { evaluation == evaluationCount }

    /// The level of the state, at which the model is asked next; nil when finished.
    public var nextLevel: NoiseLevel? { isFinished ? nil : level(forEvaluation: evaluation) }

    /// Whether the next `advance` needs noise.
    public var needsNoise: Bool { !isFinished && update(forEvaluation: evaluation).takesNoise }

    /// The step, 0 ..< `schedule.steps`, that an evaluation belongs to.
    public func step(forEvaluation evaluation: Int) -> Int {
        precondition((0..<evaluationCount).contains(evaluation), "there is no evaluation \(evaluation)")
        return kind == .heun ? evaluation / 2 : evaluation
    }

    /// The level that the model is asked at in an evaluation.
    public func level(forEvaluation evaluation: Int) -> NoiseLevel {
        let step = step(forEvaluation: evaluation)
        return schedule.levels[isCorrector(evaluation) ? step + 1 : step]
    }

    /// The coefficients that an evaluation's prediction enters the state with.
    ///
    /// For callers that update a canvas in bands; see `SamplerUpdate.apply`. `advance` does all of it.
    public func update(forEvaluation evaluation: Int) -> SamplerUpdate {
        let step = step(forEvaluation: evaluation)
        let levels = schedule.levels
        let (from, to) = (levels[step], schedule.targets[step])
        switch kind {
        case .euler:
            return .euler(from: from, to: to)
        case .heun:
            return isCorrector(evaluation)
                ? Heun.corrector(from: from, to: to, path: schedule.path)
                : Heun.predictor(from: from, to: to, path: schedule.path)
        case .ddim:
            return .ddim(from: from, to: to, eta: eta)
        case .dpmpp2m:
            return .dpmSolverMultistep(
                previous: step > 0 ? levels[step - 1] : nil,
                from: from,
                to: to,
                isFirstOrder: isFirstOrder(step: step),
                remembers: step + 1 < schedule.steps && !isFirstOrder(step: step + 1)
            )
        case .eulerAncestral:
            return .ddim(from: from, to: to, eta: 1)
        case .lcm:
            return .consistency(from: from, to: to, timeScale: schedule.consistencyTimeScale)
        case .consistency:
            return .multistepConsistency(to: to, leastRatio: schedule.leastRatio)
        }
    }

    /// Whether DPM-Solver++ takes a step without looking back: the first, and the last if it ends clean or if there are
    /// fewer than 15 (diffusers' `lower_order_final`). The last step of a schedule that is continued is none.
    private func isFirstOrder(step: Int) -> Bool {
        let isLast = step == schedule.steps - 1 && !schedule.isContinued
        return step == 0 || isLast && (schedule.targets[step].sigma == 0 || schedule.steps < 15)
    }

    private func isCorrector(_ evaluation: Int) -> Bool { kind == .heun && evaluation % 2 == 1 }

    /// Takes the model's answer to the next evaluation and brings the state to the level after it, in place.
    ///
    /// - Parameters:
    ///   - state: the noisy canvas at `nextLevel`.
    ///   - denoised: the predicted clean canvas, of the same shape.
    ///   - noise: unit noise of the same shape; needed if `needsNoise`, ignored otherwise.
    /// - Precondition: the sampler is not finished, the shapes are equal, and noise is there if needed.
    public mutating func advance(_ state: inout Tensor, denoised: Tensor, noise: Tensor? = nil) {
        let shape = state.shape
        let update = update(forEvaluation: evaluation)
        precondition(denoised.shape == shape, "the state is \(shape), the prediction \(denoised.shape)")
        precondition(memory.map { $0.shape == shape } ?? true, "the sampler remembers another shape than \(shape)")
        precondition(!update.takesNoise || noise?.shape == shape, "evaluation \(evaluation) needs noise of \(shape)")
        // Taken out of `self`, so that it is written in place and not copied.
        let unused = Tensor(shape: [0])
        var remembered = memory.take() ?? (update.remembers ? Tensor(shape: shape) : unused)
        state.withMutableSpan { state in
            remembered.withMutableSpan { memory in
                denoised.withSpan { denoised in
                    (noise ?? unused).withSpan { noise in
                        update.apply(state: &state, memory: &memory, prediction: denoised, noise: noise)
                    }
                }
            }
        }
        memory = update.remembers ? remembered : nil
        evaluation += 1
    }
}
