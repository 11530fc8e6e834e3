import Choir
import ChoirRuntime

/// One module: memory of its own for what goes into the network and comes out of it, and what is done around it.
protocol TileModule: Actor {
    /// See `ModulePool`.
    func predict(_ input: TileInput) async throws -> TilePrediction

    /// See `ModulePool`.
    func publish(_ input: TileInput) async throws -> TilePublication
}

/// The modules of a stage: requests over one compiled network.
///
/// There may be more modules than the engine runs at once. While some run, the others take their tiles in and out of
/// the engine's memory, so that it never waits.
struct TileModules<Module: TileModule>: ModulePool {
    let concurrency: Int
    private let modules: [Module]
    private let free: FreeList

    /// - Parameters:
    ///   - model: The network, which says how many run at once.
    ///   - count: The number of modules.
    ///   - module: Makes one, which runs the network when the list has a number for it.
    init(of model: CompiledModel, count: Int, module: (FreeList) throws -> Module) rethrows {
        concurrency = model.concurrentRequests
        let execution = FreeList(count: concurrency)
        modules = try (0..<count).map { _ in try module(execution) }
        free = FreeList(count: count)
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        try await free.withNumber { try await modules[$0].predict(input) }
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        try await free.withNumber { try await modules[$0].publish(input) }
    }
}

extension InferenceRequest {
    /// Runs when the list has a number for it.
    ///
    /// - Returns: Seconds that the engine took, without the waiting.
    nonisolated(nonsending) func run(through execution: FreeList) async throws -> Double {
        try await execution.withNumber { _ in
            let duration = try await run()
            return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        }
    }
}
