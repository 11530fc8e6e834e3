import Choir
import ChoirRuntime

/// The modules of a stage: requests over one compiled UNet.
struct StableDiffusionModules: ModulePool {
    let concurrency: Int
    private let queue: ModuleQueue<StableDiffusionModule>

    init(_ model: CompiledModel, count: Int, unet: StableDiffusionUNet, shape: TileShape) throws {
        let execution = Turnstile(places: model.concurrentRequests)
        queue = ModuleQueue(
            try (0..<count).map { _ in
                try StableDiffusionModule(model, unet: unet, shape: shape, execution: execution)
            })
        concurrency = model.concurrentRequests
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        try await queue.withModule { try await $0.predict(input) }
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        try await queue.withModule { try await $0.publish(input) }
    }
}
