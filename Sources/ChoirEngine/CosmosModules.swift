import Choir
import ChoirModels
import ChoirRuntime
import ChoirTensor

/// The modules of a stage: requests over one compiled network.
///
/// There may be more modules than the engine runs at once. While some run, the others take their tiles in and out of
/// the engine's memory, so that it never waits.
struct CosmosModules: ModulePool {
    let concurrency: Int
    private let queue: ModuleQueue<CosmosModule>

    init(
        denoiser: CompiledModel, publisher: CompiledModel?, count: Int, configuration: CosmosConfiguration,
        shape: TileShape
    ) throws {
        let execution = Turnstile(places: denoiser.concurrentRequests)
        queue = ModuleQueue(
            try (0..<count).map { _ in
                try CosmosModule(
                    denoiser: denoiser, publisher: publisher, configuration: configuration, shape: shape,
                    execution: execution)
            })
        concurrency = denoiser.concurrentRequests
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        try await queue.withModule { try await $0.predict(input) }
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        try await queue.withModule { try await $0.publish(input) }
    }
}
