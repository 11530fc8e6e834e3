public import Choir
import ChoirGraph
import ChoirModels
public import ChoirRuntime
import ChoirSampling
public import ChoirTensor

/// Stable Diffusion 1.x, 2.x and SDXL on OpenVINO, straight from a checkpoint's files.
public struct StableDiffusionDenoiser: Denoiser {
    /// What the pipeline must know to plan.
    public let traits: ModelTraits

    /// The number format that the UNet's layers compute in; never `auto`.
    public let precision: CompileOptions.Precision

    /// What decodes a canvas of latents.
    public let codec: (any LatentCodec)?

    /// What takes over for the last part of the noise; nil for nothing.
    public let refiner: (any Denoiser)?

    private let unet: StableDiffusionUNet
    private let encode: Encode
    private let runtime: OpenVINORuntime
    private let options: EngineOptions

    /// Encodes prompts, all to the same number of tokens; at the layer of a clip skip, or nil.
    typealias Encode = @Sendable ([String], Int?) async throws -> [PromptEmbedding]

    /// Opens the UNet of a checkpoint; compiles nothing yet.
    ///
    /// - Parameters:
    ///   - checkpoint: The folder or file.
    ///   - name: The name that reports and metadata state.
    ///   - pixelsPerCell: Pixels along a side of a cell.
    ///   - pooledWidth: Numbers of the pooled text embedding; 0 for models without.
    ///   - clipSkips: The layers of its text encoders that prompts can be read at, counted from the last.
    ///   - codec: What decodes its latents.
    ///   - refiner: What takes over from it.
    ///   - options: Where and how it runs.
    ///   - encode: Encodes prompts.
    /// - Throws: `ModelError`, `GraphError`, `SamplingError` or `OpenVINOError` that names what is missing or wrong.
    init(
        _ checkpoint: Checkpoint, name: String, pixelsPerCell: Int, pooledWidth: Int, clipSkips: ClosedRange<Int>?,
        codec: (any LatentCodec)?, refiner: (any Denoiser)?, options: EngineOptions, encode: @escaping Encode
    ) throws {
        let configuration = checkpoint.unet
        guard configuration.inputChannels == configuration.outputChannels else {
            throw ModelError(
                checkpoint.path,
                "found a UNet from \(configuration.inputChannels) to \(configuration.outputChannels) channels, as for "
                    + "inpainting; expected one that paints")
        }
        try checkpoint.check()
        let scheduler = try Self.scheduler(of: checkpoint)
        unet = StableDiffusionUNet(
            configuration: configuration, weights: try checkpoint.module(.unet).weights(),
            parameterization: scheduler.parameterization, pixelsPerCell: pixelsPerCell,
            pooledWidth: pooledWidth)
        runtime = try OpenVINORuntime()
        precision = try runtime.resolvedPrecision(options.precision, device: options.device)
        var traits = ModelTraits.stableDiffusion(
            checkpoint, name: name, pixelsPerCell: pixelsPerCell, precision: precision, scheduler: scheduler,
            parameterCount: try checkpoint.module(.unet).parameterCount)
        traits.clipSkips = clipSkips
        let tile = TileShape(height: traits.tile, width: traits.tile, contextTokens: 0, cellsPerToken: 0)
        traits.residentBytes += runtime.addedWeightBytes(
            of: try unet.graph(tile, textTokens: 77), device: options.device, precision)
        self.traits = traits
        self.codec = codec
        self.refiner = refiner
        self.options = options
        self.encode = encode
    }

    /// How the checkpoint wants to be sampled, as the pipelines of diffusers read it.
    private static func scheduler(of checkpoint: Checkpoint) throws -> SchedulerConfiguration {
        let isXL = checkpoint.kind.isXL
        guard let path = checkpoint.schedulerPath else {
            return .singleFile(
                isXL: isXL, predictsVelocity: checkpoint.prediction == .velocity,
                hasZeroTerminalSNR: checkpoint.hasZeroTerminalSNR)
        }
        let configuration = try SchedulerConfiguration(path: path)
        return isXL ? configuration : configuration.correctedForStableDiffusion
    }

    /// What the UNet is told of the prompts; see ``conditioning(of:)``.
    public func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        try await conditioning(of: encode(prompts, clipSkip))
    }

    /// Turns encoded prompts, all of the same number of tokens `T`, into what the UNet reads of them.
    ///
    /// - Returns: For each the keys and values of all layers that attend to the text, `T · textContextWidth` numbers
    ///   token by token, and behind them the pooled embedding, in a row, as the pipeline carries them.
    func conditioning(of prompts: [PromptEmbedding]) async throws -> [Tensor] {
        guard let tokens = prompts.first?.hidden.shape[1] else { return [] }
        let graph = try UNetGraph.buildText(unet.configuration, weights: unet.weights, textTokens: tokens)
        let compileOptions = CompileOptions(device: options.device, precision: precision, threads: options.threads)
        let request = try await runtime.compile(graph, options: compileOptions).makeRequest()
        var conditioning: [Tensor] = []
        for prompt in prompts {
            try request.setInput("encoded", prompt.hidden)
            try await request.run()
            let told = try request.output("text").elements + (prompt.pooled?.elements ?? [])
            conditioning.append(Tensor(shape: [told.count], elements: told))
        }
        return conditioning
    }

    /// Compiles the UNet for a shape of tiles, and makes a request for each module.
    public func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        let tokens = (embedding.elementCount - unet.pooledWidth) / unet.configuration.textContextWidth
        let compileOptions = CompileOptions(
            device: options.device, precision: precision, threads: options.threads,
            concurrentRequests: min(modules, options.threads))
        let model = try await runtime.compile(unet.graph(shape, textTokens: tokens), options: compileOptions)
        return try TileModules(of: model, count: modules) { execution in
            try StableDiffusionModule(model, unet: unet, shape: shape, execution: execution)
        }
    }
}

extension ModelTraits {
    /// How a checkpoint paints.
    static func stableDiffusion(
        _ checkpoint: Checkpoint, name: String, pixelsPerCell: Int, precision: CompileOptions.Precision,
        scheduler: SchedulerConfiguration, parameterCount: Int
    ) -> ModelTraits {
        let unet = checkpoint.unet
        // Cells that the coarsest level sees as one: tiles of whole numbers of them lose nothing on the way down.
        let alignment = 1 << (unet.channels.count - 1)
        let tile = max(alignment, checkpoint.nativeSide / pixelsPerCell / alignment * alignment)
        let bridge = UNetBridge(layers: unet.bridgeLayers, cellsPerToken: alignment, contextTokens: 1)
        let isConsistency = scheduler.sampler == .lcm
        // What makes keys and values of the text is gone before the UNet is compiled.
        let weights = parameterCount - unet.textWidth * unet.textContextWidth
        // Two prompts of 77 tokens are kept, and two modules each have one as their input.
        let text = 4 * 77 * unet.textContextWidth
        // The program, the engine, and where its layouts round weights up: what SD 1.5 held beyond all else.
        let engine = 160 << 20
        // As the pipelines of diffusers have it, but with fewer steps, which the samplers of today need.
        let guidance = isConsistency ? (unet.guidanceWidth == nil ? 1 : 8.5) : checkpoint.kind.isXL ? 5 : 7.5
        let best = ModelTraits.Settings(
            steps: isConsistency ? 4 : 25, guidance: guidance, sampler: scheduler.sampler)
        return ModelTraits(
            name: name, precision: precision.rawValue, channels: unet.outputChannels,
            pixelsPerCell: pixelsPerCell, alignment: alignment, tile: tile, overlap: tile / 4,
            noise: .scheduler(scheduler), guidesBelowOne: false,
            readsGuidance: unet.guidanceWidth != nil,
            scales: [Scale(start: 0.6, refining: best)], scaleFactor: 2,
            summary: Summary(
                width: unet.publicationWidth(bridge), granularity: alignment, capacity: 1024, dividesTiles: true,
                freshEvaluations: 2),
            residentBytes: weights * (precision == .f32 ? 4 : 2) + 4 * text + engine,
            activationBytesPerCell: unet.channels[0] * 256)
    }
}
