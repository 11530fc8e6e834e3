import ChoirSampling
import Foundation
import Testing

@Suite("Scheduler configurations")
struct SchedulerConfigurationTests {
    static func parse(_ text: String) throws -> SchedulerConfiguration {
        try SchedulerConfiguration(json: [UInt8](text.utf8), path: "scheduler_config.json")
    }

    @Test(
        "A class that is not there is replaced by the nearest sampler, and says so",
        arguments: [
            ("EulerDiscreteScheduler", SamplerKind.euler, false), ("LCMScheduler", .lcm, false),
            ("EulerAncestralDiscreteScheduler", .eulerAncestral, false), ("DDIMScheduler", .ddim, false),
            ("DPMSolverMultistepScheduler", .dpmpp2m, false), ("HeunDiscreteScheduler", .heun, false),
            ("PNDMScheduler", .dpmpp2m, true), ("UniPCMultistepScheduler", .dpmpp2m, true),
            ("DDPMScheduler", .eulerAncestral, true), ("TCDScheduler", .lcm, true),
        ]
    )
    func classes(name: String, kind: SamplerKind, isSubstitute: Bool) throws {
        let configuration = try Self.parse("{\"_class_name\": \"\(name)\"}")
        #expect(configuration.sampler == kind)
        #expect(configuration.isSubstitute == isSubstitute)
        #expect(configuration.parameterization == .epsilon)
    }

    @Test("Variants of DPM-Solver are replaced by DPM-Solver++(2M)")
    func variants() throws {
        for field in ["\"algorithm_type\": \"sde-dpmsolver++\"", "\"solver_order\": 3", "\"solver_type\": \"heun\""] {
            let configuration = try Self.parse("{\"_class_name\": \"DPMSolverMultistepScheduler\", \(field)}")
            #expect(configuration.sampler == .dpmpp2m)
            #expect(configuration.isSubstitute)
        }
    }

    @Test("Python's numbers without end, nulls and unknown fields are read")
    func pythonNumbers() throws {
        let configuration = try Self.parse(
            """
            {"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "trained_betas": null,
            "note": "a \\"NaN\\" or -Infinity in a text", "other": [NaN, Infinity], "prediction_type": "v_prediction"}
            """
        )
        #expect(configuration.parameterization == .velocity)
        #expect(!configuration.isSubstitute)
    }

    @Test("The pipelines of Stable Diffusion 1 and 2 correct the offset of old files")
    func offset() throws {
        let old = try Self.parse("{\"_class_name\": \"DDIMScheduler\"}")
        #expect(try old.schedule(steps: 10).levels.map(\.time).prefix(2) == [900, 800])
        let corrected = try old.correctedForStableDiffusion.schedule(steps: 10)
        #expect(corrected.levels.map(\.time).prefix(2) == [901, 801])
    }

    @Test("Single files get the settings that diffusers assumes")
    func singleFiles() throws {
        let xl = SchedulerConfiguration.singleFile(isXL: true, predictsVelocity: false)
        #expect(xl.sampler == .euler && !xl.isSubstitute && xl.parameterization == .epsilon)
        let schedule = try xl.schedule(steps: 20)
        #expect(schedule.levels.map(\.time).prefix(2) == [951, 901])
        #expect(schedule.startDeviation == 1)
        let first = SchedulerConfiguration.singleFile(isXL: false, predictsVelocity: false)
        #expect(first.sampler == .dpmpp2m && first.isSubstitute)
        let second = SchedulerConfiguration.singleFile(isXL: false, predictsVelocity: true)
        #expect(second.sampler == .ddim && second.parameterization == .velocity)
        // `set_alpha_to_one` is false: the last step of DDIM leads to the first training step's noise.
        #expect(try second.schedule(steps: 10).levels.last?.sigma ?? 0 > 0.02)
    }

    @Test("A single file whose last training step has no signal is sampled from that step")
    func zeroTerminalSNR() throws {
        for isXL in [false, true] {
            let single = SchedulerConfiguration.singleFile(
                isXL: isXL, predictsVelocity: true, hasZeroTerminalSNR: true)
            let configuration = try Self.parse(
                """
                {"_class_name": "\(isXL ? "EulerDiscreteScheduler" : "DDIMScheduler")", "beta_start": 0.00085,
                "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "steps_offset": 1,
                "set_alpha_to_one": false, "prediction_type": "v_prediction", "rescale_betas_zero_snr": true,
                "timestep_spacing": "trailing"}
                """)
            #expect(try single.schedule(steps: 10) == configuration.schedule(steps: 10))
            #expect(try single.schedule(steps: 10).levels.first?.time == 999)
        }
    }

    @Test("A spacing can be asked for in place of the configuration's, where the sampler knows it")
    func spacing() throws {
        let configuration = SchedulerConfiguration.singleFile(isXL: false, predictsVelocity: false)
        let plain = try configuration.schedule(steps: 10)
        let karras = try configuration.schedule(steps: 10, spacing: .karras)
        #expect(plain != karras)
        #expect(abs(karras.levels[0].noiseToSignal - 14.6146) < 1e-3)
        let trailing = try configuration.schedule(.euler, steps: 4, spacing: .trailing)
        #expect(trailing.levels.map(\.time).prefix(2) == [999, 749])
        let leading = try configuration.schedule(.ddim, steps: 4, spacing: .leading)
        #expect(leading.levels.map(\.time).prefix(2) == [751, 501])
        // The file's own Karras deviations are left for what is asked for.
        let file = #"{"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true}"#
        let own = try SchedulerConfiguration(json: [UInt8](file.utf8), path: "x")
        #expect(try own.schedule(steps: 4, spacing: .linspace).levels.map(\.time).prefix(2) == [999, 666])
        for (kind, spacing) in [(SamplerKind.ddim, StepSpacing.karras), (.eulerAncestral, .karras), (.lcm, .trailing)] {
            let error = #expect(throws: SamplingError.self) {
                try configuration.schedule(kind, steps: 4, spacing: spacing)
            }
            #expect(error?.description.hasPrefix("spacing: found \(spacing.rawValue), expected ") == true)
        }
    }

    @Test("Spacings are found by the names of other tools")
    func spacingNames() throws {
        #expect(try StepSpacing(name: "Karras") == .karras && StepSpacing(name: "SGM Uniform") == .trailing)
        #expect(try StepSpacing(name: "sgm_uniform") == .trailing && StepSpacing(name: "linspace") == .linspace)
        #expect(throws: SamplingError.self) { try StepSpacing(name: "exponential") }
    }

    @Test("A partial schedule keeps its end and starts from its first level's noise")
    func partial() throws {
        let schedule = try SchedulerConfiguration.singleFile(isXL: false, predictsVelocity: true).schedule(steps: 10)
        let part = try schedule.partial(strength: 0.4)
        #expect(part.levels == Array(schedule.levels.suffix(5)))
        #expect(part.targets == Array(schedule.targets.suffix(4)))
        #expect(part.startDeviation == part.levels[0].sigma)
        #expect(try schedule.partial(strength: 1) == schedule)
    }

    @Test(
        "A field out of range is refused by name",
        arguments: [
            ("", "_class_name"), ("\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"", "_class_name"),
            ("\"_class_name\": 7", "_class_name"),
            ("\"num_train_timesteps\": 1", "num_train_timesteps"),
            ("\"num_train_timesteps\": 1000000000000", "num_train_timesteps"),
            ("\"num_train_timesteps\": 1e300", "number"),
            ("\"steps_offset\": -1", "steps_offset"), ("\"steps_offset\": 1000", "steps_offset"),
            ("\"beta_start\": 0", "training noise"), ("\"beta_end\": 1.5", "training noise"),
            ("\"beta_schedule\": \"laplace\"", "beta_schedule"), ("\"prediction_type\": \"flow\"", "prediction_type"),
            ("\"timestep_spacing\": \"even\"", "timestep_spacing"), ("\"thresholding\": true", "thresholding"),
            ("\"use_beta_sigmas\": true", "use_beta_sigmas"), ("\"final_sigmas_type\": \"one\"", "final_sigmas_type"),
            ("\"final_sigmas_type\": \"sigma_min\", \"euler_at_final\": true", "euler_at_final"),
            ("\"original_inference_steps\": 0", "original_inference_steps"),
            ("\"original_inference_steps\": 1001", "original_inference_steps"),
            ("\"timestep_scaling\": -1", "timestep_scaling"), ("\"trained_betas\": [0.1, 0.2]", "trained_betas"),
            ("\"num_train_timesteps\": 2, \"trained_betas\": [0.1, 2], \"original_inference_steps\": 1", "betas"),
            ("\"sigma_min\": -1", "sigma_min"), ("\"timestep_type\": \"continuous\"", "timestep_type"),
        ]
    )
    func refusals(fields: String, field: String) {
        let named = fields.contains("_class_name") || fields.isEmpty
        let text = named ? "{\(fields)}" : "{\"_class_name\": \"EulerDiscreteScheduler\", \(fields)}"
        let error = #expect(throws: SamplingError.self) { try Self.parse(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.subject == "scheduler_config.json")
        #expect(error?.message.contains(field) == true, "\(error?.message ?? "")")
    }

    @Test("Too many steps are refused")
    func tooManySteps() throws {
        let configuration = try Self.parse("{\"_class_name\": \"LCMScheduler\", \"num_train_timesteps\": 100}")
        for kind in SamplerKind.allCases {
            let limit = kind == .lcm || kind == .consistency ? 50 : kind == .dpmpp2m ? 99 : 100
            #expect(try configuration.schedule(kind, steps: limit).steps == limit)
            for steps in [0, limit + 1, Int.max] {
                #expect(throws: SamplingError.self) { try configuration.schedule(kind, steps: steps) }
            }
        }
    }

    @Test("Text that is cut or damaged anywhere gives a configuration or an error")
    func damaged() throws {
        let texts = try #require(SchedulerParityTests.recorded).configurations.values.sorted()
        var generator = SystemRandomNumberGenerator()
        var refused = 0
        for text in texts where text.utf8.count < 2000 {
            let bytes = [UInt8](text.utf8)
            for length in stride(from: 0, to: bytes.count, by: 7) {
                #expect(throws: SamplingError.self) {
                    try SchedulerConfiguration(json: Array(bytes[..<length]), path: "test")
                }
            }
            for _ in 0..<60 {
                var damaged = bytes
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                damaged[index] = UInt8.random(in: 0...255, using: &generator)
                do {
                    let configuration = try SchedulerConfiguration(json: damaged, path: "test")
                    for kind in SamplerKind.allCases { _ = try? configuration.schedule(kind, steps: 5) }
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 50)
    }
}
