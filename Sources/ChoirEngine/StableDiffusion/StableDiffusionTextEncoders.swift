import ChoirGraph
import ChoirModels
import ChoirRuntime
import ChoirTensor
import Foundation

/// The text encoders of a checkpoint on OpenVINO.
///
/// They run once for a painting, so they compute in f32, whatever the UNet does, and are gone before it is compiled.
struct StableDiffusionTextEncoders: Sendable {
    /// Numbers of the pooled embedding; 0 for models without.
    let pooledWidth: Int

    /// The layers that prompts can be read at, counted from the last.
    let clipSkips: ClosedRange<Int>

    private let encoder: PromptEncoder
    private let parts: [(tokenizer: CLIPTokenizer, configuration: CLIPTextConfiguration)]
    private let family: PromptEncoder.Family
    private let weights: [WeightStore]
    private let emptyIsZero: Bool
    private let options: EngineOptions

    /// Opens the encoders and their tokenizers, and compares every weight with the configurations; compiles nothing.
    ///
    /// - Throws: `ModelError` that names the file and what is missing in it or does not fit the UNet.
    init(_ checkpoint: Checkpoint, options: EngineOptions) throws {
        var parts: [(tokenizer: CLIPTokenizer, configuration: CLIPTextConfiguration)] = []
        var weights: [WeightStore] = []
        for part in checkpoint.kind.textEncoders {
            let module = try checkpoint.module(part)
            parts.append((try checkpoint.tokenizer(part), try CLIPTextConfiguration(module.configuration)))
            weights.append(try ModelError.naming(module.configuration.path, module.weights))
        }
        family = checkpoint.kind.isXL ? .xl : .stableDiffusion
        encoder = try PromptEncoder(parts, family: family)
        self.parts = parts
        clipSkips = family.ownLayer...max(family.ownLayer, parts.map(\.configuration.layers).min() ?? 0)
        let unet = checkpoint.unet
        guard encoder.width == unet.textWidth else {
            throw ModelError(
                try checkpoint.module(.unet).configuration.path,
                "cross_attention_dim: found \(unet.textWidth), expected \(encoder.width), the channels of the text "
                    + "encoders together")
        }
        pooledWidth = unet.addition == nil ? 0 : encoder.encoders.last?.configuration.projectionWidth ?? 0
        self.weights = weights
        emptyIsZero = try checkpoint.zeroesEmptyPrompt
        self.options = options
        for (part, index) in zip(checkpoint.kind.textEncoders, weights.indices) {
            let path = try checkpoint.module(part).configuration.path
            try ModelError.naming(path) { () throws(GraphError) in _ = try graph(encoder.encoders[index], index) }
        }
    }

    private func graph(_ encoder: PromptEncoder.Encoder, _ index: Int) throws(GraphError) -> Graph {
        try CLIPTextGraph.graph(
            encoder.configuration, weights: weights[index], length: encoder.tokenizer.maximumLength,
            outputs: encoder.outputs)
    }

    /// Encodes prompts, all to the same number of tokens. Every text is encoded once.
    ///
    /// - Parameter clipSkip: The layer that they are read at, one of `clipSkips`; nil for the model's own.
    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [PromptEmbedding] {
        let encoder =
            try clipSkip.map { try PromptEncoder(parts, family: family, skippedLayers: $0 - family.ownLayer) }
            ?? encoder
        let runtime = try OpenVINORuntime()
        let compileOptions = CompileOptions(device: options.device, precision: .f32, threads: options.threads)
        var requests: [InferenceRequest] = []
        for index in weights.indices {
            let model = try await runtime.compile(graph(encoder.encoders[index], index), options: compileOptions)
            requests.append(try model.makeRequest())
        }
        let embeddings = try await encoder.embed(prompts.map { WeightedPrompt($0) }) { index, chunk, end in
            let request = requests[index]
            try request.setInput("tokens", integers: chunk.tokens, shape: [1, chunk.tokens.count])
            let isPooled = encoder.encoders[index].outputs.isPooled
            if isPooled { try request.setInput("end", integers: [end], shape: [1]) }
            try await request.run()
            return (try request.output("hidden"), isPooled ? try request.output("pooled") : nil)
        }
        return zip(prompts, embeddings).map { $0.isEmpty && emptyIsZero ? $1.zeroed : $1 }
    }
}

extension Checkpoint {
    /// Whether the model is told zeros in place of an empty prompt, as diffusers has it: SDXL unless its
    /// `model_index.json` denies it, which the published refiner's does.
    fileprivate var zeroesEmptyPrompt: Bool {
        get throws(ModelError) {
            guard kind.isXL else { return false }
            let index = path + "/model_index.json"
            guard !isSingleFile, FileManager.default.fileExists(atPath: index) else { return kind == .sdxlBase }
            return try ConfigurationFields(path: index).flag("force_zeros_for_empty_prompt", absent: true)
        }
    }
}

extension ModelError {
    /// Runs what emits a graph; its errors then name the file too.
    static func naming<Result>(_ path: String, _ body: () throws(GraphError) -> Result) throws(ModelError) -> Result {
        do {
            return try body()
        } catch {
            throw ModelError(path, error.description)
        }
    }
}
