public import Choir
import ChoirGraph
import ChoirModels
public import ChoirRuntime
import ChoirSampling
public import ChoirTensor

/// Cosmos on OpenVINO.
public struct CosmosDenoiser: Denoiser {
    /// What the pipeline must know to plan.
    public let traits: ModelTraits

    /// Sets what is black; nil where the canvas is the picture.
    public let codec: (any LatentCodec)?

    /// The forms of objects that lead what is composed; nil for a folder without `forms.safetensors`.
    public let forms: LearnedForms?

    /// The number format that layers compute in; never `auto`.
    public let precision: CompileOptions.Precision

    private let configuration: CosmosConfiguration
    private let text: CosmosText
    private let weights: WeightStore
    private let runtime: OpenVINORuntime
    private let options: EngineOptions

    /// Opens a model; compiles nothing yet.
    ///
    /// - Parameters:
    ///   - directory: A folder as of `ModelReference.directory`.
    ///   - name: The name that reports and metadata state.
    ///   - options: Where and how it runs.
    /// - Throws: `ModelError`, `SafetensorsError` or `OpenVINOError` that names what is missing or wrong.
    public init(directory: String, name: String, options: EngineOptions) throws {
        configuration = try CosmosConfiguration(path: directory + "/config.json")
        text = try CosmosText(
            words: directory + "/words.txt", vectors: SafetensorsFile(path: directory + "/words.safetensors"),
            width: configuration.network.text)
        weights = try WeightStore(files: [SafetensorsFile(path: directory + "/model.safetensors")])
        do {
            // The smallest tile there is: finds every weight that is missing or has another shape before painting.
            let cell = configuration.network.cell
            _ = try CosmosGraph.build(
                .denoiser, configuration: configuration, weights: weights, height: cell, width: cell, contextTokens: 1,
                cellsPerToken: 1, hasTextPerCell: false)
        } catch {
            throw ModelError(directory + "/model.safetensors", "these are not the weights of config.json: \(error)")
        }
        let width = text.nothing.shape[0]
        forms = try configuration.forms.map {
            try LearnedForms($0, text: width, path: directory + "/forms.safetensors")
        }
        runtime = try OpenVINORuntime()
        precision = try runtime.resolvedPrecision(options.precision, device: options.device)
        self.options = options
        codec = configuration.painting.black.map { ValueRangeCodec(channels: 3, range: $0...1) }
        traits = .cosmos(name: name, precision: precision.rawValue, configuration: configuration)
    }

    /// The mean of the prompt's words, `[text]`.
    public func embedding(of prompt: String) throws -> Tensor { text.vector(of: prompt) }

    /// The means of the prompts' words, `[text]` each.
    public func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        try prompts.map(embedding(of:))
    }

    /// The parts of a prompt, between commas and the words "and" and "with", that name objects.
    public func elements(of prompt: String) -> [String] {
        guard let vocabulary = configuration.vocabulary, let objects = configuration.objects else { return [] }
        return text.elements(of: prompt, vocabulary: vocabulary, objects: objects)
    }

    /// Compiles the network for a shape of tiles, and makes a request for each module.
    public func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        let streams = min(modules, options.threads)
        let compileOptions = CompileOptions(
            device: options.device, precision: precision, threads: options.threads, concurrentRequests: streams)
        let compile = { (part: CosmosGraph.Part) in
            let graph = try CosmosGraph.build(
                part, configuration: configuration, weights: weights, height: shape.height, width: shape.width,
                contextTokens: shape.contextTokens, cellsPerToken: shape.cellsPerToken / configuration.network.cell,
                hasTextPerCell: shape.hasPromptPerSquare)
            return try await runtime.compile(graph, options: compileOptions)
        }
        let denoiser = try await compile(.denoiser)
        let publisher = shape.contextTokens > 0 ? try await compile(.publisher) : nil
        return try TileModules(of: denoiser, count: modules) { execution in
            try CosmosModule(
                denoiser: denoiser, publisher: publisher, configuration: configuration, shape: shape,
                execution: execution)
        }
    }
}

extension ModelTraits {
    /// How Cosmos paints. With these bytes and its steps of second order a plan states 1.35 GB for 4096 x 4096, of which
    /// 1.10 to 1.21 GB were measured.
    static func cosmos(name: String, precision: String, configuration: CosmosConfiguration) -> ModelTraits {
        var traits = ModelTraits(
            name: name, precision: precision, channels: 3, alignment: configuration.network.cell, tile: 512,
            overlap: 64,
            scales: zip(configuration.reductions, configuration.painting.scales).map { reduction, best in
                Scale(
                    reduction: reduction, start: best.refining.start, refining: Settings(best.refining),
                    composing: Settings(best.composing))
            },
            scaleFactor: configuration.scaleFactor,
            summary: Summary(width: configuration.network.widths[2], granularity: 128, capacity: 512),
            conditioningCell: configuration.network.cell, residentBytes: 250 << 20, activationBytesPerCell: 400)
        traits.composedSide = configuration.painting.composedSide
        return traits
    }
}

extension ModelTraits.Settings {
    fileprivate init(_ written: CosmosConfiguration.Settings) {
        self.init(
            steps: written.steps, guidance: written.guidance, shift: written.shift, sampler: written.sampler)
    }
}
