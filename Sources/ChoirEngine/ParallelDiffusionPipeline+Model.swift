public import Choir
import ChoirImage
import ChoirModels
import Foundation

extension ParallelDiffusionPipeline {
    /// A pipeline over a model of the engine.
    ///
    /// - Parameters:
    ///   - model: Which model.
    ///   - modules: How many tiles are denoised at the same time, 1 ... 256. They share one copy of the weights, and
    ///     the picture does not depend on their number.
    ///   - options: Where and how the model runs.
    /// - Throws: An error that names the file and the field, if the model cannot be opened.
    public init(model: ModelReference, modules: Int = 4, options: EngineOptions = EngineOptions()) async throws {
        let denoiser: CosmosDenoiser
        switch model {
        case .cosmos:
            denoiser = try CosmosDenoiser(directory: CosmosResources.directory, name: "cosmos", options: options)
        case .directory(let path):
            // The same name from wherever the folder is named, be it ".".
            let name = URL(fileURLWithPath: path).standardized.lastPathComponent
            denoiser = try CosmosDenoiser(directory: path, name: name, options: options)
        }
        try ImageRuntime.setThreads(options.threads)
        try self.init(denoiser: denoiser, modules: modules)
    }
}
