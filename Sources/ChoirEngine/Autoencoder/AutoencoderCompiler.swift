import ChoirGraph
import ChoirRuntime

/// Compiles the graphs of an autoencoder.
struct AutoencoderCompiler: Sendable {
    let runtime: OpenVINORuntime
    let options: EngineOptions

    /// How many requests run at the same time.
    let modules: Int

    /// Compiles a graph and makes its requests.
    ///
    /// - Parameters:
    ///   - graph: The graph.
    ///   - keeps: Whether to keep the compiled graph on disk for the next time.
    ///   - constants: Inputs that are the same for every run.
    func callAsFunction(
        _ graph: Graph, keeps: Bool, constants: AutoencoderInput = AutoencoderInput()
    ) async throws -> AutoencoderModules {
        // SDXL's autoencoder leaves the range of f16, and what bf16 rounds off can be seen in a picture: f32 unless
        // bf16 is asked for by name.
        let compileOptions = CompileOptions(
            device: options.device, precision: options.precision == .bf16 ? .bf16 : .f32, threads: options.threads,
            concurrentRequests: modules, cacheDirectory: keeps ? CompileOptions.defaultCacheDirectory : nil)
        let model = try await runtime.compile(graph, options: compileOptions)
        return try await AutoencoderModules(model, count: modules, constants: constants)
    }
}
