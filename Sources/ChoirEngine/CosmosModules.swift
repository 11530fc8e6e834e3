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
    private let modules: [CosmosModule]
    private let free: FreeList
    private let execution: Turnstile

    init(
        denoiser: CompiledModel, publisher: CompiledModel?, count: Int, configuration: CosmosConfiguration,
        shape: TileShape
    ) throws {
        let execution = Turnstile(places: denoiser.concurrentRequests)
        modules = try (0..<count).map { _ in
            try CosmosModule(
                denoiser: denoiser, publisher: publisher, configuration: configuration, shape: shape,
                execution: execution)
        }
        self.execution = execution
        concurrency = denoiser.concurrentRequests
        free = FreeList(count: count)
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        try await withModule { try await $0.predict(input) }
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        try await withModule { try await $0.publish(input) }
    }

    private func withModule<Result: Sendable>(
        _ body: @Sendable (CosmosModule) async throws -> Result
    ) async throws -> Result {
        let index = await free.take()
        do {
            let result = try await body(modules[index])
            await free.give(index)
            return result
        } catch {
            await free.give(index)
            throw error
        }
    }
}

/// Which modules have nothing to do.
private actor FreeList {
    private var free: [Int]
    private var line: [CheckedContinuation<Int, Never>] = []

    init(count: Int) { free = Array((0..<count).reversed()) }

    func take() async -> Int {
        if let index = free.popLast() { return index }
        return await withCheckedContinuation { line.append($0) }
    }

    func give(_ index: Int) {
        if line.isEmpty {
            free.append(index)
        } else {
            line.removeFirst().resume(returning: index)
        }
    }
}
