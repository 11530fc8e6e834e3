/// The samplers by name.
public enum SamplerKind: String, Hashable, Sendable, CaseIterable, Codable {
    /// Euler's method, one evaluation for each step.
    case euler
    /// Heun's method, two evaluations for each step but the last.
    case heun
    /// Denoising diffusion implicit models; with η above 0 it adds noise.
    case ddim
    /// DPM-Solver++(2M), second order with one evaluation for each step.
    case dpmpp2m
    /// Euler's method with fresh noise in each step.
    case eulerAncestral = "euler-a"
    /// The sampling of latent consistency models, which noises each clean prediction again.
    case lcm
    /// Multistep consistency sampling, which noises each clean prediction again, up to what the prediction lacks.
    case consistency

    /// The name that the Stable Diffusion ecosystem writes into image metadata.
    public var displayName: String {
        switch self {
        case .euler: "Euler"
        case .heun: "Heun"
        case .ddim: "DDIM"
        case .dpmpp2m: "DPM++ 2M"
        case .eulerAncestral: "Euler a"
        case .lcm: "LCM"
        case .consistency: "Consistency"
        }
    }

    /// Finds the sampler that a user means, by our name or the one of A1111, ComfyUI, k-diffusion or diffusers.
    ///
    /// Case, blanks, hyphens and underscores do not matter: `DPM++ 2M`, `dpmpp_2m` and `DPMSolverMultistepScheduler`
    /// are one sampler.
    ///
    /// - Throws: `SamplingError` that lists the names, for an unknown one.
    public init(name: String) throws(SamplingError) {
        var folded = ""
        for character in name.lowercased() where !" -_".contains(character) {
            folded += character == "+" ? "p" : String(character)
        }
        guard let kind = SamplerKind.allCases.first(where: { $0.foldedNames.contains(folded) }) else {
            let known = SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw SamplingError(
                code: .unknownSampler,
                subject: "sampler",
                message: "found \"\(name)\", expected one of \(known)"
            )
        }
        self = kind
    }

    private var foldedNames: [String] {
        switch self {
        case .euler: ["euler", "keuler", "sampleeuler", "eulerdiscretescheduler", "flowmatcheulerdiscretescheduler"]
        case .heun: ["heun", "kheun", "sampleheun", "heundiscretescheduler", "flowmatchheundiscretescheduler"]
        case .ddim: ["ddim", "ddimscheduler"]
        case .dpmpp2m: ["dpmpp2m", "kdpmpp2m", "sampledpmpp2m", "dpmsolverpp2m", "dpmsolvermultistepscheduler"]
        case .eulerAncestral:
            ["eulera", "keulera", "eulerancestral", "sampleeulerancestral", "eulerancestraldiscretescheduler"]
        case .lcm: ["lcm", "samplelcm", "lcmscheduler"]
        case .consistency: ["consistency", "multistepconsistency", "cmstochasticiterativescheduler"]
        }
    }
}
