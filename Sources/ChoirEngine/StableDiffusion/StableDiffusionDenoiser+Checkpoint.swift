import Choir
import ChoirGraph
public import ChoirModels
import ChoirRuntime

extension StableDiffusionDenoiser {
    /// Opens all networks of a checkpoint and compares every weight with the configurations; compiles nothing yet.
    ///
    /// - Parameters:
    ///   - checkpoint: A folder of diffusers, or one file in the original layout.
    ///   - name: The name that reports and metadata state.
    ///   - refiner: A checkpoint of SDXL's refiner and its name, which takes over from SDXL base for the last part of the
    ///     noise (Podell et al. 2023, "SDXL", section 2.5). Its autoencoder is not used. Nil for nothing.
    ///   - options: Where and how it runs. Text encoders and autoencoder compute in f32 whatever the precision.
    /// - Throws: `ModelError`, `SamplingError` or `OpenVINOError` that names what is missing or wrong.
    public init(
        _ checkpoint: Checkpoint, name: String, refiner: (checkpoint: Checkpoint, name: String)? = nil,
        options: EngineOptions
    ) throws {
        guard checkpoint.kind != .sdxlRefiner else {
            throw ModelError(
                checkpoint.path,
                "found SDXL's refiner, which finishes what SDXL base began; expected a checkpoint that paints alone")
        }
        let cell = checkpoint.pixelsPerCell
        let expert = try refiner.map { refiner in
            try checkpoint.check(refiner: refiner.checkpoint)
            return try StableDiffusionDenoiser(
                refiner.checkpoint, name: refiner.name, pixelsPerCell: cell, codec: nil, refiner: nil, options: options)
        }
        try self.init(
            checkpoint, name: name, pixelsPerCell: cell, codec: AutoencoderCodec(checkpoint, options: options),
            refiner: expert, options: options)
    }

    /// Opens the text encoders and the UNet.
    private init(
        _ checkpoint: Checkpoint, name: String, pixelsPerCell: Int, codec: (any LatentCodec)?,
        refiner: (any Denoiser)?, options: EngineOptions
    ) throws {
        let text = try StableDiffusionTextEncoders(checkpoint, options: options)
        try self.init(
            checkpoint, name: name, pixelsPerCell: pixelsPerCell, pooledWidth: text.pooledWidth,
            clipSkips: text.clipSkips, codec: codec, refiner: refiner, options: options
        ) { try await text.embeddings(of: $0, clipSkip: $1) }
    }
}

extension Checkpoint {
    /// Finds out whether a refiner can take over from this checkpoint.
    fileprivate func check(refiner: Checkpoint) throws(ModelError) {
        guard refiner.kind == .sdxlRefiner else {
            throw ModelError(
                refiner.path, "found \(refiner.kind), expected SDXL's refiner, to take over from the model")
        }
        guard kind == .sdxlBase else {
            throw ModelError(path, "found \(kind), expected SDXL base, from which the refiner takes over")
        }
        guard refiner.unet.outputChannels == unet.outputChannels else {
            throw ModelError(
                refiner.path,
                "the refiner's UNet paints \(refiner.unet.outputChannels) channels, expected \(unet.outputChannels), "
                    + "as the model's")
        }
    }
}

extension AutoencoderCodec {
    /// Opens the autoencoder of a checkpoint, and compares every weight with the configuration; compiles nothing.
    init(_ checkpoint: Checkpoint, options: EngineOptions) throws {
        let channels = checkpoint.unet.outputChannels
        try self.init(checkpoint.module(.autoencoder), channels: channels, options: options)
        name = checkpoint.autoencoderPath.map(ModelReference.name(of:))
        previews = try options.previewDecoder.map {
            let module = try CheckpointModule(autoencoder: $0, kind: checkpoint.kind)
            return try AutoencoderCodec(module, channels: channels, options: options)
        }
    }

    private init(_ module: CheckpointModule, channels: Int, options: EngineOptions) throws {
        let path = module.configuration.path
        let configuration = try AutoencoderConfiguration(module.configuration)
        guard configuration.latentChannels == channels else {
            throw ModelError(
                path,
                "latent_channels: found \(configuration.latentChannels), expected "
                    + "\(channels), as many as the UNet paints")
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
