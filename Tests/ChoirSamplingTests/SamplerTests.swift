import ChoirSampling
import ChoirTensor
import Testing

@Suite("Sampler")
struct SamplerTests {
    static let shape: Shape = [1, 3, 47, 53]

    /// Fixed numbers in -2 ..< 2 without a pattern (a linear congruential generator).
    static func field(_ seed: UInt32) -> Tensor {
        var value = seed
        let elements = (0..<shape.elementCount).map { _ -> Float in
            value = value &* 1_664_525 &+ 1_013_904_223
            return Float(value >> 8) / Float(1 << 22) - 2
        }
        return Tensor(shape: shape, elements: elements)
    }

    static func schedule(_ path: Schedule.Path) throws -> Schedule {
        switch path {
        case .variancePreserving: try TrainingNoise(rescalesToZeroSignal: true).schedule(steps: 6)
        case .varianceExploding: try .karras(steps: 6)
        case .flow: try .flow(steps: 6, shift: 2)
        }
    }

    static func predict(_ state: Tensor, _ level: NoiseLevel) -> Tensor {
        let scale = Float(1 / (level.alpha + level.sigma))
        return Tensor(shape: state.shape, elements: state.elements.map { $0 * scale / (1 + abs($0 * scale)) })
    }

    static func advance(_ sampler: inout Sampler, _ state: inout Tensor) throws {
        let level = try #require(sampler.nextLevel)
        let noise = sampler.needsNoise ? field(UInt32(100 + sampler.evaluation)) : nil
        sampler.advance(&state, denoised: predict(state, level), noise: noise)
    }

    static func bits(_ tensor: Tensor) -> [UInt32] { tensor.elements.map(\.bitPattern) }

    @Test(
        "A sampler restored between any two evaluations continues with the same bits",
        arguments: SamplerKind.allCases,
        [Schedule.Path.variancePreserving, .varianceExploding, .flow]
    )
    func restoring(kind: SamplerKind, path: Schedule.Path) throws {
        let schedule = try Self.schedule(path)
        let eta = kind == .ddim ? 0.5 : 0
        var sampler = try Sampler(kind, schedule: schedule, eta: eta)
        var state = Self.field(1)
        var snapshots: [(Sampler, Tensor)] = []
        while !sampler.isFinished {
            snapshots.append((sampler, state))
            try Self.advance(&sampler, &state)
        }
        #expect(sampler.memory == nil)
        #expect(state.elements.allSatisfy { $0.isFinite })
        for (stored, middle) in snapshots {
            var resumed = try Sampler(
                kind,
                schedule: schedule,
                eta: eta,
                evaluation: stored.evaluation,
                memory: stored.memory
            )
            var continued = middle
            while !resumed.isFinished { try Self.advance(&resumed, &continued) }
            #expect(Self.bits(continued) == Self.bits(state))
        }
    }

    @Test("Bands of any height give the bits of the whole canvas", arguments: SamplerKind.allCases)
    func bands(kind: SamplerKind) throws {
        var sampler = try Sampler(kind, schedule: Self.schedule(.flow), eta: kind == .ddim ? 1 : 0)
        var state = Self.field(1)
        for _ in 0..<3 {
            let update = sampler.update(forEvaluation: sampler.evaluation)
            let level = try #require(sampler.nextLevel)
            let prediction = Self.predict(state, level)
            let noise = Self.field(9)
            var banded: [Float] = []
            var memory: [Float] = []
            var start = 0
            for length in [1, 700, 2048, 3000, Self.shape.elementCount - 5749] {
                let band = start..<start + length
                var stateBand = Array(state.elements[band])
                var memoryBand = Array((sampler.memory ?? Tensor(shape: Self.shape)).elements[band])
                var stateSpan = stateBand.mutableSpan
                var memorySpan = memoryBand.mutableSpan
                update.apply(
                    state: &stateSpan,
                    memory: &memorySpan,
                    prediction: prediction.elements[band].span,
                    noise: noise.elements[band].span
                )
                banded += stateBand
                memory += memoryBand
                start += length
            }
            sampler.advance(&state, denoised: prediction, noise: noise)
            #expect(banded.map(\.bitPattern) == Self.bits(state))
            if let remembered = sampler.memory { #expect(memory.map(\.bitPattern) == Self.bits(remembered)) }
        }
    }

    @Test("A model that always predicts one image ends at that image", arguments: SamplerKind.allCases)
    func constantPrediction(kind: SamplerKind) throws {
        let image = Self.field(5)
        for path in [Schedule.Path.variancePreserving, .varianceExploding, .flow] {
            var sampler = try Sampler(kind, schedule: Self.schedule(path), eta: kind == .ddim ? 1 : 0)
            var state = Self.field(2)
            while !sampler.isFinished {
                sampler.advance(&state, denoised: image, noise: sampler.needsNoise ? Self.field(3) : nil)
            }
            #expect(state == image)
        }
    }

    @Test("Euler and DDIM without noise are one method")
    func eulerIsDDIM() throws {
        for path in [Schedule.Path.variancePreserving, .varianceExploding, .flow] {
            let schedule = try Self.schedule(path)
            let (euler, ddim) = (try Sampler(.euler, schedule: schedule), try Sampler(.ddim, schedule: schedule))
            for evaluation in 0..<euler.evaluationCount {
                #expect(euler.update(forEvaluation: evaluation) == ddim.update(forEvaluation: evaluation))
            }
        }
    }

    @Test("DDIM with full noise keeps the variance of each level", arguments: [0.3, 1.0])
    func ancestralVariance(eta: Double) throws {
        for path in [Schedule.Path.variancePreserving, .varianceExploding, .flow] {
            let schedule = try Self.schedule(path)
            let sampler = try Sampler(.ddim, schedule: schedule, eta: eta)
            for step in 0..<schedule.steps {
                let (from, to) = (schedule.levels[step], schedule.levels[step + 1])
                let terms = sampler.update(forEvaluation: step).newState
                let (kept, fresh) = (terms.state * from.sigma, terms.noise)
                #expect(isClose(kept * kept + fresh * fresh, to.sigma * to.sigma, tolerance: 1e-12))
                #expect(isClose(terms.state * from.alpha + terms.prediction, to.alpha, tolerance: 1e-12))
                #expect((fresh > 0) == (step < schedule.steps - 1))
            }
        }
    }

    @Test("Heun evaluates twice in each step but the last")
    func heunEvaluations() throws {
        let schedule = try Schedule.flow(steps: 3)
        let sampler = try Sampler(.heun, schedule: schedule)
        #expect(sampler.evaluationCount == 5)
        #expect((0..<5).map { sampler.step(forEvaluation: $0) } == [0, 0, 1, 1, 2])
        #expect((0..<5).map { sampler.level(forEvaluation: $0) } == [0, 1, 1, 2, 2].map { schedule.levels[$0] })
    }

    @Test("A state that does not belong to the sampler is refused")
    func refusedStates() throws {
        let schedule = try Schedule.flow(steps: 3)
        let memory = Tensor(shape: Self.shape)
        let cases: [(SamplerKind, Int, Tensor?)] = [
            (.euler, -1, nil), (.euler, 4, nil), (.euler, 1, memory), (.heun, 0, memory), (.heun, 1, nil),
            (.heun, 2, memory), (.heun, 6, nil), (.dpmpp2m, 1, nil), (.dpmpp2m, 2, memory), (.ddim, 3, memory),
        ]
        for (kind, evaluation, memory) in cases {
            let error = #expect(throws: SamplingError.self) {
                try Sampler(kind, schedule: schedule, evaluation: evaluation, memory: memory)
            }
            #expect(error?.code == .invalidState)
        }
        for (kind, eta) in [(SamplerKind.euler, 0.1), (.ddim, 1.1), (.ddim, -0.1), (.ddim, Double.nan)] {
            let error = #expect(throws: SamplingError.self) { try Sampler(kind, schedule: schedule, eta: eta) }
            #expect(error?.subject == "eta")
        }
    }

    @Test(
        "Samplers are known by their names elsewhere",
        arguments: [
            ("euler", SamplerKind.euler), ("Euler", .euler), ("k_euler", .euler), ("EulerDiscreteScheduler", .euler),
            ("FlowMatchEulerDiscreteScheduler", .euler), ("heun", .heun), ("Heun", .heun), ("sample_heun", .heun),
            ("ddim", .ddim), ("DDIM", .ddim), ("DDIMScheduler", .ddim), ("dpm++ 2m", .dpmpp2m), ("DPM++ 2M", .dpmpp2m),
            ("dpmpp_2m", .dpmpp2m), ("dpmpp2m", .dpmpp2m), ("dpm++2m", .dpmpp2m),
            ("DPMSolverMultistepScheduler", .dpmpp2m), ("euler a", .eulerAncestral), ("k_euler_a", .eulerAncestral),
            ("Euler Ancestral", .eulerAncestral), ("EulerAncestralDiscreteScheduler", .eulerAncestral), ("LCM", .lcm),
            ("LCMScheduler", .lcm), ("consistency", .consistency), ("CMStochasticIterativeScheduler", .consistency),
        ]
    )
    func names(name: String, kind: SamplerKind) throws {
        #expect(try SamplerKind(name: name) == kind)
        #expect(try SamplerKind(name: kind.displayName) == kind)
        #expect(try SamplerKind(name: kind.rawValue) == kind)
    }

    @Test("An unknown sampler is refused with the list of names", arguments: ["", "euler b", "DPM++ 2M Karras", "lms"])
    func unknownName(name: String) {
        let error = #expect(throws: SamplingError.self) { try SamplerKind(name: name) }
        let known = "euler, heun, ddim, dpmpp2m, euler-a, lcm, consistency"
        #expect(error?.description == "sampler: found \"\(name)\", expected one of \(known)")
    }
}
