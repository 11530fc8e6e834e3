import ChoirGraph
import ChoirTensor
import Foundation

extension Checkpoint {
    /// Opens a folder of diffusers.
    init(folder: String) throws(ModelError) {
        let index = try Self.modelIndex(folder)
        var modules: [CheckpointPart: CheckpointModule] = [:]
        for part in CheckpointPart.allCases {
            modules[part] = try Self.module(part, in: folder, index: index)
        }
        guard let unetModule = modules[.unet] else {
            if index?.has("transformer") == true {
                throw ModelError(
                    "\(folder)/model_index.json",
                    "transformer: the denoiser is a transformer, expected a UNet (Stable Diffusion 1.x, 2.x or SDXL)")
            }
            throw ModelError(
                folder, "expected a folder of diffusers with unet/config.json, or one .safetensors file")
        }
        let unet = try UNetConfiguration(unetModule.configuration)
        var tokenizers: [CheckpointPart: String] = [:]
        for part in CheckpointPart.allCases {
            guard let name = part.tokenizerFolder, Self.isDirectory("\(folder)/\(name)") else { continue }
            tokenizers[part] = "\(folder)/\(name)"
        }
        let scheduler = "\(folder)/scheduler/scheduler_config.json"
        let hasScheduler = FileManager.default.fileExists(atPath: scheduler)
        var prediction = CheckpointPrediction.epsilon
        if hasScheduler {
            let name = try ConfigurationFields(path: scheduler).choice(
                "prediction_type", of: ["epsilon", "v_prediction", "sample"], absent: "epsilon")
            prediction = CheckpointPrediction(rawValue: name) ?? .epsilon
        }
        self.init(
            path: folder, kind: try Self.kind(unet, modules, index), isSingleFile: false, modules: modules, unet: unet,
            prediction: prediction,
            predictionAssumption: hasScheduler
                ? nil : "there is no scheduler/scheduler_config.json, so the network is taken to predict the noise",
            hasZeroTerminalSNR: false, schedulerPath: hasScheduler ? scheduler : nil,
            tokenizerDirectories: tokenizers)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    /// The list of parts; nil in a folder that has the parts alone.
    private static func modelIndex(_ folder: String) throws(ModelError) -> ConfigurationFields? {
        let path = "\(folder)/model_index.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try ConfigurationFields(path: path)
    }

    /// Opens a network; nil when the index says that there is none, or there is no folder.
    private static func module(
        _ part: CheckpointPart, in folder: String, index: ConfigurationFields?
    ) throws(ModelError) -> CheckpointModule? {
        if case .list(let entry)? = index?[part.rawValue], entry.allSatisfy({ $0 == .null }) { return nil }
        let directory = "\(folder)/\(part.rawValue)"
        guard isDirectory(directory) else { return nil }
        if part == .autoencoder { return try CheckpointModule(autoencoderFolder: directory) }
        let fields = try ConfigurationFields(path: "\(directory)/config.json")
        let files = try CheckpointFiles.weights(
            in: directory, stem: part == .unet ? "diffusion_pytorch_model" : "model")
        return CheckpointModule(
            configuration: fields, files: files, naming: part == .unet ? .asWritten : .transformersTextEncoder)
    }

    /// The family, from what the UNet is told and how its attention is made.
    private static func kind(
        _ unet: UNetConfiguration, _ modules: [CheckpointPart: CheckpointModule], _ index: ConfigurationFields?
    ) throws(ModelError) -> CheckpointKind {
        guard unet.addition != nil else {
            return unet.usesLinearProjection ? .stableDiffusion2 : .stableDiffusion1
        }
        if let text = modules[.textEncoder2]?.configuration {
            let width = try text.integer("projection_dim", in: 1...65_536, absent: 512)
            switch unet.timeIDCount(pooledWidth: width) {
            case 6: return .sdxlBase
            case 5: return .sdxlRefiner
            default:
                throw ModelError(
                    text.path,
                    "projection_dim: found \(width), expected what the UNet leaves of "
                        + "projection_class_embeddings_input_dim, \(unet.addition?.inputWidth ?? 0), with 6 sizes "
                        + "(SDXL base) or 5 (refiner)")
            }
        }
        return try index?.flag("requires_aesthetics_score", absent: false) == true ? .sdxlRefiner : .sdxlBase
    }
}
