import ArgumentParser
import Choir
import ChoirEngine
import ChoirRuntime

/// What paints: shared by `generate` and `plan`.
struct EngineArguments: ParsableArguments {
    @Option(help: "Tiles denoised at the same time. They share one copy of the weights; the picture stays the same.")
    var modules = EngineSettings().modules

    @Option(help: "Number format of the network: auto, f32, bf16 or f16.", transform: EngineSettings.precision(named:))
    var precision = EngineSettings().precision

    @Option(help: "Inference device, such as CPU or GPU.")
    var device = EngineSettings().device

    @Option(
        help: """
            A checkpoint of Stable Diffusion 1.x, 2.x or SDXL, as a folder of diffusers or one .safetensors file; a folder \
            with a denoiser of your own and its choir.json; or a folder of a Cosmos model. Default: the embedded model Cosmos.
            """)
    var model: String?

    @Option(help: "A checkpoint of SDXL's refiner, which takes over from --model for the last part of the noise.")
    var refiner: String?

    @Option(
        help: """
            An autoencoder in the place of a checkpoint's own, or of one that it lacks: a folder of diffusers or one \
            .safetensors file.
            """)
    var vae: String?

    /// The options as settings.
    var settings: EngineSettings {
        EngineSettings(modules: modules, precision: precision, device: device, model: model, refiner: refiner, vae: vae)
    }
}

/// What paints, as options or a run directory say.
struct EngineSettings {
    var modules = 4
    var precision = CompileOptions.Precision.auto
    var device = "CPU"
    var model: String?
    var refiner: String?
    var vae: String?

    /// A precision by its name.
    static func precision(named name: String) throws -> CompileOptions.Precision {
        guard let precision = CompileOptions.Precision(rawValue: name) else {
            let names = CompileOptions.Precision.allCases.map(\.rawValue).joined(separator: ", ")
            throw RequestError("precision", found: name, expected: "one of \(names)")
        }
        return precision
    }

    /// A pipeline with these settings.
    ///
    /// - Parameter previewDecoder: The folder or file of an autoencoder for previews.
    func pipeline(previewDecoder: String? = nil) async throws -> ParallelDiffusionPipeline {
        var options = EngineOptions()
        options.precision = precision
        options.device = device
        options.previewDecoder = previewDecoder
        return try await ParallelDiffusionPipeline(
            model: model.map { ModelReference(path: $0) } ?? .cosmos, refiner: refiner, autoencoder: vae,
            modules: modules, options: options)
    }
}
