import ChoirGraph
import ChoirRuntime
import ChoirTensor

/// What a run of an autoencoder's graph is given.
struct AutoencoderInput: Sendable {
    /// f32 inputs by name; copied, so any shape with as many elements will do.
    var tensors: [String: Tensor] = [:]
    /// i32 inputs by name, each a list.
    var integers: [String: [Int]] = [:]
}

/// One request: its own input and output memory.
actor AutoencoderModule {
    private let request: InferenceRequest

    init(_ model: CompiledModel) throws { request = try model.makeRequest() }

    /// Sets inputs that later runs keep.
    func set(_ input: AutoencoderInput) throws {
        for (name, tensor) in input.tensors {
            try request.withInput(name) { destination in
                precondition(destination.count == tensor.shape.elementCount, "\(tensor.shape) for input \(name)")
                tensor.withSpan { source in
                    for index in source.indices { destination[unchecked: index] = source[unchecked: index] }
                }
            }
        }
        for (name, list) in input.integers {
            try request.setInput(name, integers: list, shape: [list.count])
        }
    }

    func run(_ input: AutoencoderInput) async throws -> Tensor {
        try set(input)
        try await request.run()
        return try request.output(request.model.outputs[0].name)
    }
}

/// A number of requests over one compiled graph.
struct AutoencoderModules: Sendable {
    private let modules: [AutoencoderModule]

    /// Makes the requests.
    ///
    /// - Parameters:
    ///   - model: The compiled graph.
    ///   - count: How many; positive.
    ///   - constants: Inputs that are the same for every run.
    init(_ model: CompiledModel, count: Int, constants: AutoencoderInput = AutoencoderInput()) async throws {
        modules = try (0..<count).map { _ in try AutoencoderModule(model) }
        for module in modules { try await module.set(constants) }
    }

    /// Runs jobs, as many at a time as there are requests.
    ///
    /// - Parameters:
    ///   - count: The number of jobs.
    ///   - input: What a job is given; called in order.
    ///   - output: Takes what a job gave; called in order, one at a time. What is done already waits for what came
    ///     before it, but never more results than there are requests.
    func run(
        _ count: Int, input: (Int) throws -> AutoencoderInput, output: (Int, Tensor) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (job: Int, module: Int, result: Tensor).self) { group in
            var free = Array(modules.indices.reversed())
            var waiting: [Int: Tensor] = [:]
            var (started, delivered) = (0, 0)
            while delivered < count {
                // Before the results are taken, so that the engine goes on meanwhile.
                while started < min(count, delivered + 2 * modules.count), let index = free.popLast() {
                    let (job, module, given) = (started, modules[index], try input(started))
                    group.addTask { (job, index, try await module.run(given)) }
                    started += 1
                }
                while let result = waiting.removeValue(forKey: delivered) {
                    try await output(delivered, result)
                    delivered += 1
                }
                guard delivered < count, let finished = try await group.next() else { continue }
                free.append(finished.module)
                waiting[finished.job] = finished.result
            }
        }
    }
}
