import Choir
import ChoirGraph
public import ChoirModels
import ChoirRuntime

extension StableDiffusionDenoiser {
    /// Opens all networks of a checkpoint and compares every weight with the configurations; compiles nothing yet.
    ///
    /// - Parameters:
    ///   - checkpoint: A folder of diffusers, or one file in the original layout with its tokenizers beside it.
    ///   - name: The name that reports and metadata state.
    ///   - options: Where and how it runs. Text encoders and autoencoder compute in f32 whatever the precision.
    /// - Throws: `ModelError`, `SamplingError` or `OpenVINOError` that names what is missing or wrong.
    public init(_ checkpoint: Checkpoint, name: String, options: EngineOptions) throws {
        guard checkpoint.kind != .sdxlRefiner else {
            throw ModelError(
                checkpoint.path,
                "found SDXL's refiner, which finishes what SDXL base began; expected a checkpoint that paints alone")
        }
        let text = try StableDiffusionTextEncoders(checkpoint, options: options)
        try self.init(
            checkpoint, name: name, pooledWidth: text.pooledWidth,
            codec: AutoencoderCodec(checkpoint, options: options), options: options
        ) { try await text.embeddings(of: $0) }
    }
}

extension AutoencoderCodec {
    /// Opens the autoencoder of a checkpoint, and compares every weight with the configuration; compiles nothing.
    init(_ checkpoint: Checkpoint, options: EngineOptions) throws {
        let module = try checkpoint.module(.autoencoder)
        let path = module.configuration.path
        let configuration = try AutoencoderConfiguration(module.configuration)
        guard configuration.latentChannels == checkpoint.unet.outputChannels else {
            throw ModelError(
                path,
                "latent_channels: found \(configuration.latentChannels), expected "
                    + "\(checkpoint.unet.outputChannels), as many as the UNet paints")
        }
        let weights = try ModelError.naming(path) { () throws(GraphError) in
            let weights = try module.weights()
            _ = try configuration.decoder(weights: weights, height: 8, width: 8)
            return weights
        }
        // A run notes the precision of the UNet alone, and must be decoded alike when it is resumed.
        var options = options
        options.precision = .f32
        try self.init(configuration: configuration, weights: weights, options: options)
    }
}
