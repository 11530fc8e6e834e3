public import Choir
public import ChoirModels
public import ChoirRuntime
import ChoirSampling
public import ChoirTensor
import Foundation

/// A denoiser of one's own on OpenVINO: an ONNX file or an IR, and a manifest that says what it takes and predicts.
public struct OwnDenoiser: Denoiser {
    /// What the pipeline must know to plan.
    public let traits: ModelTraits

    /// The number format that the graph's layers compute in; never `auto`.
    public let precision: CompileOptions.Precision

    /// What maps the manifest's range of values to a picture; nil if it is -1 ... 1, as pictures are.
    public let codec: (any LatentCodec)?

    /// What the manifest says.
    public let manifest: DenoiserManifest

    let graph: DenoiserGraph
    private let runtime: OpenVINORuntime
    private let options: EngineOptions
    private var told: [String: [Double]] = [:]

    /// Opens a denoiser and compares its graph with the manifest; compiles nothing yet.
    ///
    /// - Parameters:
    ///   - directory: A folder with `choir.json` and the file that it names.
    ///   - name: The name that reports and metadata state, where the manifest has none.
    ///   - options: Where and how it runs.
    /// - Throws: `ModelError` or `OpenVINOError` that names the file and the field, what was found and expected.
    public init(directory: String, name: String, options: EngineOptions) throws {
        manifest = try DenoiserManifest(directory: directory)
        runtime = try OpenVINORuntime()
        precision = try runtime.resolvedPrecision(options.precision, device: options.device)
        graph = try DenoiserGraph(manifest, runtime)
        self.options = options
        codec = manifest.range == -1...1 ? nil : ValueRangeCodec(channels: manifest.channels, range: manifest.range)
        traits = .ownDenoiser(manifest, graph, name: name, precision: precision)
    }

    /// One and the same for all prompts: it reads none.
    public func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        prompts.map { _ in Tensor(shape: [0]) }
    }

    /// The same denoiser, told the numbers of a request in every tile.
    public func conditioned(by conditions: [String: [Double]]) -> any Denoiser {
        var other = self
        other.told = conditions
        return other
    }

    /// Compiles the graph for a shape of tiles, and makes a request for each module.
    public func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        let compileOptions = CompileOptions(
            device: options.device, precision: precision, threads: options.threads,
            concurrentRequests: min(modules, options.threads), cacheDirectory: nil)
        let file = try graph.settled(runtime, height: shape.height, width: shape.width)
        let model: CompiledModel
        do {
            model = try await runtime.compile(file, options: compileOptions)
        } catch {
            guard error.code == .engine else { throw error }
            throw ModelError(file.path, "this graph cannot be compiled for \(options.device): \(error.reason)")
        }
        let network = OwnDenoiserNetwork(manifest, graph, told: told)
        return try TileModules(of: model, count: modules) { execution in
            try OwnDenoiserModule(model, network: network, shape: shape, execution: execution)
        }
    }
}

extension ModelTraits {
    /// Bytes of activations for each cell: a guess, since a graph in a file does not tell. That of a network with 128
    /// channels at full size, of which sixteen layers are alive.
    private static let activationBytesPerCell = 16 * 128 * 4

    /// How a denoiser of one's own paints.
    static func ownDenoiser(
        _ manifest: DenoiserManifest, _ graph: DenoiserGraph, name: String, precision: CompileOptions.Precision
    ) -> ModelTraits {
        let noise: NoiseSchedule
        var shift = 1.0
        switch manifest.noise {
        case .sigma(let minimum, let maximum, let rho): noise = .karras(minimum: minimum, maximum: maximum, rho: rho)
        case .timestep(let training, let spacing): noise = .training(training, spacing: spacing)
        case .flow(let timeScale, let ownShift): (noise, shift) = (.flow(timeScale: timeScale), ownShift)
        }
        let path = manifest.graphPath
        let files = path.hasSuffix(".xml") ? [path, path.dropLast(3) + "bin"] : [path]
        let bytes = files.reduce(0) { sum, file in
            let facts = try? FileManager.default.attributesOfItem(atPath: file)
            return sum + (facts?[.size] as? Int ?? 0)
        }
        let best = Settings(
            steps: manifest.steps, guidance: manifest.guidance, shift: shift, sampler: manifest.sampler)
        var traits = ModelTraits(
            name: manifest.name ?? name, precision: precision.rawValue, channels: manifest.channels,
            pictureChannels: manifest.channels, alignment: manifest.alignment, tile: manifest.tile,
            overlap: manifest.overlap, noise: noise, scales: [Scale(start: manifest.start, refining: best)],
            scaleFactor: 2, summary: nil, residentBytes: 2 * bytes, activationBytesPerCell: activationBytesPerCell)
        traits.fixesTile = graph.fixesTile
        traits.readsPrompts = false
        traits.canGuide = manifest.canGuide
        traits.conditions = graph.conditions.compactMap { condition in
            guard case .request(let absent) = condition.declared.source else { return nil }
            let exact = -0x1p24...0x1p24
            return ModelCondition(
                name: condition.declared.name, count: condition.shape.elementCount,
                range: condition.isWhole ? condition.declared.range.clamped(to: exact) : condition.declared.range,
                isWhole: condition.isWhole, absent: absent)
        }
        return traits
    }
}
