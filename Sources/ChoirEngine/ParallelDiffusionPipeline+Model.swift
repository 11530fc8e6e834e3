public import Choir
import ChoirImage
import ChoirModels

extension ParallelDiffusionPipeline {
    /// A pipeline over a model of the engine.
    ///
    /// - Parameters:
    ///   - model: Which model.
    ///   - refiner: A checkpoint of SDXL's refiner, a folder or a file, which takes over from a checkpoint of SDXL base
    ///     where `PaintRequest.handOver` says; nil for nothing.
    ///   - autoencoder: What decodes in the place of a checkpoint's own autoencoder, or of one that it lacks: a folder of
    ///     diffusers or a `.safetensors` file; nil for its own.
    ///   - modules: How many tiles are denoised at the same time, 1 ... 256. They share one copy of the weights, and
    ///     the picture does not depend on their number.
    ///   - options: Where and how the model runs.
    /// - Throws: An error that names the file and the field, if the model cannot be opened.
    public init(
        model: ModelReference, refiner: String? = nil, autoencoder: String? = nil, modules: Int = 4,
        options: EngineOptions = EngineOptions()
    ) async throws {
        let denoiser: any Denoiser
        for (name, path) in [
            ("refiner", refiner), ("vae", autoencoder), ("preview decoder", options.previewDecoder),
        ] {
            guard let path else { continue }
            guard case .checkpoint = model else {
                throw RequestError(name, found: path, expected: "none without a checkpoint of Stable Diffusion")
            }
        }
        switch model {
        case .cosmos:
            denoiser = try CosmosDenoiser(directory: CosmosResources.directory, name: "cosmos", options: options)
        case .directory(let path):
            denoiser = try CosmosDenoiser(directory: path, name: ModelReference.name(of: path), options: options)
        case .checkpoint(let path):
            var checkpoint = try Checkpoint(path: path)
            if let autoencoder { try checkpoint.replaceAutoencoder(by: autoencoder) }
            denoiser = try StableDiffusionDenoiser(
                checkpoint, name: ModelReference.name(of: path),
                refiner: refiner.map { (try Checkpoint(path: $0), ModelReference.name(of: $0)) }, options: options)
        case .ownDenoiser(let path):
            denoiser = try OwnDenoiser(directory: path, name: ModelReference.name(of: path), options: options)
        }
        try ImageRuntime.setThreads(options.threads)
        try self.init(denoiser: denoiser, modules: modules)
    }
}
