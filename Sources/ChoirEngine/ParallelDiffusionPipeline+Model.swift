public import Choir
import ChoirImage
import ChoirModels
import Foundation

extension ParallelDiffusionPipeline {
    /// A pipeline over a model of the engine.
    ///
    /// - Parameters:
    ///   - model: Which model.
    ///   - refiner: A checkpoint of SDXL's refiner, a folder or a file, which takes over from a checkpoint of SDXL base
    ///     where `PaintRequest.handOver` says; nil for nothing.
    ///   - modules: How many tiles are denoised at the same time, 1 ... 256. They share one copy of the weights, and
    ///     the picture does not depend on their number.
    ///   - options: Where and how the model runs.
    /// - Throws: An error that names the file and the field, if the model cannot be opened.
    public init(
        model: ModelReference, refiner: String? = nil, modules: Int = 4, options: EngineOptions = EngineOptions()
    ) async throws {
        let denoiser: any Denoiser
        for (name, path) in [("refiner", refiner), ("preview decoder", options.previewDecoder)] {
            guard let path else { continue }
            guard case .checkpoint = model else {
                throw RequestError(name, found: path, expected: "none without a checkpoint of Stable Diffusion")
            }
        }
        switch model {
        case .cosmos:
            denoiser = try CosmosDenoiser(directory: CosmosResources.directory, name: "cosmos", options: options)
        case .directory(let path):
            denoiser = try CosmosDenoiser(directory: path, name: Self.name(of: path), options: options)
        case .checkpoint(let path):
            denoiser = try StableDiffusionDenoiser(
                Checkpoint(path: path), name: Self.name(of: path),
                refiner: refiner.map { (try Checkpoint(path: $0), Self.name(of: $0)) }, options: options)
        case .ownDenoiser(let path):
            denoiser = try OwnDenoiser(directory: path, name: Self.name(of: path), options: options)
        }
        try ImageRuntime.setThreads(options.threads)
        try self.init(denoiser: denoiser, modules: modules)
    }

    /// The same name from wherever the file is named, be it ".".
    private static func name(of path: String) -> String {
        URL(fileURLWithPath: path).standardized.lastPathComponent
    }
}
