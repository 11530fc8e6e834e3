import ChoirTensor
import Foundation

/// The fields of a `scheduler_config.json` that are used, as they were written.
struct SchedulerFields: Hashable, Sendable, Decodable {
    var className: String?
    var trainingSteps: Int?
    var betaStart: Double?
    var betaEnd: Double?
    var betaSchedule: String?
    var trainedBetas: [Double]?
    var predictionType: String?
    var timestepSpacing: String?
    var stepsOffset: Int?
    var setsAlphaToOne: Bool?
    var rescalesBetas: Bool?
    var usesKarrasSigmas: Bool?
    var leastSigma: Double?
    var mostSigma: Double?
    var finalSigmas: String?
    var leastLambda: Double?
    var originalSteps: Int?
    var timestepScaling: Double?
    var algorithm: String?
    var solverOrder: Int?
    var solver: String?
    var lowersFinalOrder: Bool?
    var endsWithEuler: Bool?
    var thresholds: Bool?
    var usesExponentialSigmas: Bool?
    var usesBetaSigmas: Bool?
    var usesLuLambdas: Bool?
    var usesFlowSigmas: Bool?
    var interpolation: String?
    var timestepType: String?

    enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case trainingSteps = "num_train_timesteps"
        case betaStart = "beta_start"
        case betaEnd = "beta_end"
        case betaSchedule = "beta_schedule"
        case trainedBetas = "trained_betas"
        case predictionType = "prediction_type"
        case timestepSpacing = "timestep_spacing"
        case stepsOffset = "steps_offset"
        case setsAlphaToOne = "set_alpha_to_one"
        case rescalesBetas = "rescale_betas_zero_snr"
        case usesKarrasSigmas = "use_karras_sigmas"
        case leastSigma = "sigma_min"
        case mostSigma = "sigma_max"
        case finalSigmas = "final_sigmas_type"
        case leastLambda = "lambda_min_clipped"
        case originalSteps = "original_inference_steps"
        case timestepScaling = "timestep_scaling"
        case algorithm = "algorithm_type"
        case solverOrder = "solver_order"
        case solver = "solver_type"
        case lowersFinalOrder = "lower_order_final"
        case endsWithEuler = "euler_at_final"
        case thresholds = "thresholding"
        case usesExponentialSigmas = "use_exponential_sigmas"
        case usesBetaSigmas = "use_beta_sigmas"
        case usesLuLambdas = "use_lu_lambdas"
        case usesFlowSigmas = "use_flow_sigmas"
        case interpolation = "interpolation_type"
        case timestepType = "timestep_type"
    }

    /// No configuration is longer, in bytes; 100 000 betas fit.
    static let maximumByteCount = 4 << 20

    init() {}

    init(json: [UInt8], path: String) throws(SamplingError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(Self.withFiniteNumbers(json)))
        } catch {
            let reason = (error as? DecodingError)?.sentence ?? "\(error)"
            throw SamplingError(
                code: .invalidConfiguration,
                subject: path,
                message: "cannot be read as a scheduler's configuration: \(reason)"
            )
        }
    }

    /// The same text with Python's `Infinity`, `-Infinity` and `NaN`, which JSON does not know, as `null`.
    ///
    /// diffusers writes `-Infinity` for a `lambda_min_clipped` that is not set.
    static func withFiniteNumbers(_ json: [UInt8]) -> [UInt8] {
        let names = ["-Infinity", "Infinity", "NaN"].map { Array($0.utf8) }
        var result: [UInt8] = []
        result.reserveCapacity(json.count)
        var index = 0
        var isInString = false
        while index < json.count {
            let byte = json[index]
            if !isInString, let name = names.first(where: { json[index...].starts(with: $0) }) {
                result += Array("null".utf8)
                index += name.count
                continue
            }
            result.append(byte)
            index += 1
            if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            } else if isInString, byte == UInt8(ascii: "\\"), index < json.count {
                result.append(json[index])
                index += 1
            }
        }
        return result
    }

    /// Switches that ask for what is not there.
    var unsupported: [(field: String, value: Bool)] {
        [
            ("thresholding", thresholds ?? false), ("use_exponential_sigmas", usesExponentialSigmas ?? false),
            ("use_beta_sigmas", usesBetaSigmas ?? false), ("use_lu_lambdas", usesLuLambdas ?? false),
            ("use_flow_sigmas", usesFlowSigmas ?? false),
        ]
    }

    /// The first setting that has a value which is not there.
    var mismatch: (field: String, found: String, expected: String)? {
        for (field, found, known) in [
            ("timestep_spacing", timestepSpacing, TimestepSpacing.allCases.map(\.rawValue)),
            ("beta_schedule", betaSchedule, ["linear", "scaled_linear", "squaredcos_cap_v2"]),
            ("final_sigmas_type", finalSigmas, ["zero", "sigma_min"]),
            ("interpolation_type", interpolation, ["linear"]), ("timestep_type", timestepType, ["discrete"]),
        ] {
            if let found, !known.contains(found) {
                return (field, "\"\(found.prefix(80))\"", known.joined(separator: ", "))
            }
        }
        if finalSigmas == "sigma_min", endsWithEuler ?? false {
            return ("euler_at_final", "true", "false with a final_sigmas_type of sigma_min")
        }
        if finalSigmas == "sigma_min", !(lowersFinalOrder ?? true) {
            return ("lower_order_final", "false", "true with a final_sigmas_type of sigma_min")
        }
        return nil
    }

    /// Whether a DPM-Solver is the one that is there: DPM-Solver++(2M), not stochastic.
    var isSecondOrderMultistep: Bool {
        // diffusers itself takes these names of other classes' settings for the defaults.
        ["dpmsolver++", "deis"].contains(algorithm ?? "dpmsolver++") && (solverOrder ?? 2) == 2 && solver != "heun"
    }

    /// What diffusers assumes for checkpoints without a configuration (`SCHEDULER_DEFAULT_CONFIG`, and the
    /// configurations that Stable Diffusion 1.5, 2.1 and SDXL are published with).
    static let singleFile: SchedulerFields = {
        var fields = SchedulerFields()
        fields.trainingSteps = 1000
        fields.betaStart = 0.00085
        fields.betaEnd = 0.012
        fields.betaSchedule = "scaled_linear"
        fields.timestepSpacing = "leading"
        fields.stepsOffset = 1
        fields.setsAlphaToOne = false
        return fields
    }()
}
