import ChoirTensor

/// How a checkpoint wants to be sampled: what `scheduler/scheduler_config.json` of diffusers says.
///
/// The file names one of diffusers' schedulers and some of its settings; what it leaves out takes the default of the
/// scheduler that is used, which may be another one than the file names. So a configuration keeps the settings as they
/// were written, and ``schedule(_:steps:spacing:)`` resolves them for one sampler.
///
/// Clipping of the clean prediction (`clip_sample`) is not done: it is meant for pixels in -1 ... 1 and diffusers
/// itself turns it off for Stable Diffusion.
public struct SchedulerConfiguration: Hashable, Sendable {
    /// The class that the file names, such as `EulerDiscreteScheduler`.
    public let className: String

    /// The sampler to use if the user asks for none.
    public let sampler: SamplerKind

    /// Whether `sampler` stands in for a scheduler that is not there, or for a variant of it.
    public let isSubstitute: Bool

    /// What the model predicts.
    public let parameterization: Parameterization

    /// The number of times that the model was trained at.
    public var trainingSteps: Int { fields.trainingSteps ?? 1000 }

    /// The settings as the file has them.
    var fields: SchedulerFields

    /// Reads and checks a configuration.
    ///
    /// - Throws: `SamplingError` that names the file and the field.
    public init(path: String) throws(SamplingError) {
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch {
            throw SamplingError(code: .invalidConfiguration, subject: path, message: error.reason)
        }
        guard file.bytes.count <= SchedulerFields.maximumByteCount else {
            throw SamplingError(
                code: .invalidConfiguration,
                subject: path,
                message: "found \(file.bytes.count) bytes, expected at most \(SchedulerFields.maximumByteCount)"
            )
        }
        try self.init(json: [UInt8](file.bytes), path: path)
    }

    /// Parses and checks the text of a configuration; `path` is for errors.
    public init(json: [UInt8], path: String) throws(SamplingError) {
        try self.init(fields: SchedulerFields(json: json, path: path), path: path)
    }

    init(fields: SchedulerFields, path: String) throws(SamplingError) {
        func invalid(_ field: String, _ found: String, expected: String) -> SamplingError {
            SamplingError(
                code: .invalidConfiguration,
                subject: path,
                message: "\(field): found \(found), expected \(expected)"
            )
        }
        guard let className = fields.className else {
            throw SamplingError(
                code: .invalidConfiguration,
                subject: path,
                message: "_class_name is missing, expected the name of a scheduler such as EulerDiscreteScheduler"
            )
        }
        let exact = Self.samplers[className]
        guard let sampler = exact ?? Self.substitutes[className] else {
            let known = Self.samplers.keys.sorted() + Self.substitutes.keys.sorted()
            throw invalid("_class_name", "\"\(className.prefix(80))\"", expected: known.joined(separator: ", "))
        }
        switch fields.predictionType ?? "epsilon" {
        case "epsilon": parameterization = .epsilon
        case "v_prediction": parameterization = .velocity
        case "sample", "original_sample": parameterization = .clean
        case let other:
            throw invalid("prediction_type", "\"\(other.prefix(80))\"", expected: "epsilon, v_prediction or sample")
        }
        for (field, value) in fields.unsupported where value {
            throw invalid(field, "true", expected: "false")
        }
        if let mismatch = fields.mismatch { throw invalid(mismatch.field, mismatch.found, expected: mismatch.expected) }
        self.className = className
        self.sampler = sampler
        self.isSubstitute = exact == nil || (sampler == .dpmpp2m && !fields.isSecondOrderMultistep)
        self.fields = fields
        // Whatever else is out of range shows when a sampler's settings are resolved.
        for kind in SamplerKind.allCases {
            do {
                _ = try SchedulerSettings(fields, for: kind).trainingNoise()
            } catch {
                throw SamplingError(code: .invalidConfiguration, subject: path, message: error.description)
            }
        }
    }

    /// The samplers that diffusers' classes are.
    private static let samplers: [String: SamplerKind] = [
        "DDIMScheduler": .ddim, "EulerDiscreteScheduler": .euler, "EulerAncestralDiscreteScheduler": .eulerAncestral,
        "DPMSolverMultistepScheduler": .dpmpp2m, "HeunDiscreteScheduler": .heun, "LCMScheduler": .lcm,
    ]

    /// The samplers nearest to classes that are not there: multistep for multistep, with fresh noise for those with it.
    private static let substitutes: [String: SamplerKind] = [
        "PNDMScheduler": .dpmpp2m, "LMSDiscreteScheduler": .dpmpp2m, "UniPCMultistepScheduler": .dpmpp2m,
        "DEISMultistepScheduler": .dpmpp2m, "DPMSolverSinglestepScheduler": .dpmpp2m,
        "KDPM2DiscreteScheduler": .dpmpp2m, "DDPMScheduler": .eulerAncestral,
        "KDPM2AncestralDiscreteScheduler": .eulerAncestral, "DPMSolverSDEScheduler": .eulerAncestral,
        "TCDScheduler": .lcm,
    ]

    /// The same configuration as `StableDiffusionPipeline` of diffusers corrects it when it is loaded with one:
    /// `steps_offset` is 1, whatever old files say. `StableDiffusionXLPipeline` corrects nothing.
    public var correctedForStableDiffusion: SchedulerConfiguration {
        var corrected = self
        corrected.fields.stepsOffset = 1
        return corrected
    }

    /// What diffusers assumes of a single-file checkpoint, which has no configuration.
    ///
    /// - Parameters:
    ///   - isXL: whether the model is SDXL, base or refiner, which is sampled with Euler; the others name PNDM.
    ///   - predictsVelocity: whether it predicts velocity, as Stable Diffusion 2 at 768² does.
    ///   - hasZeroTerminalSNR: whether its betas were rescaled so that the last step has no signal; then sampling
    ///     begins at that step (Lin et al., arXiv:2305.08891, sections 3.1 and 3.3), of which diffusers knows nothing.
    public static func singleFile(
        isXL: Bool, predictsVelocity: Bool, hasZeroTerminalSNR: Bool = false
    ) -> SchedulerConfiguration {
        var fields = SchedulerFields.singleFile
        if hasZeroTerminalSNR {
            fields.rescalesBetas = true
            fields.timestepSpacing = "trailing"
        }
        return SchedulerConfiguration(
            className: isXL ? "EulerDiscreteScheduler" : predictsVelocity ? "DDIMScheduler" : "PNDMScheduler",
            sampler: isXL ? .euler : predictsVelocity ? .ddim : .dpmpp2m,
            isSubstitute: !isXL && !predictsVelocity,
            parameterization: predictsVelocity ? .velocity : .epsilon,
            fields: fields
        )
    }

    private init(
        className: String,
        sampler: SamplerKind,
        isSubstitute: Bool,
        parameterization: Parameterization,
        fields: SchedulerFields
    ) {
        self.className = className
        self.sampler = sampler
        self.isSubstitute = isSubstitute
        self.parameterization = parameterization
        self.fields = fields
    }
}
