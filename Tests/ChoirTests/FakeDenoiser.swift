import Choir
import ChoirSampling
import ChoirTensor

/// An arithmetic model: what it predicts of a cell depends on the cell, its neighbours in the window, the window
/// as a whole, the coarser picture, the prompt and the context, so that a pipeline which mixes any of them up gives other numbers.
struct FakeDenoiser: Denoiser {
    var traits = ModelTraits(
        name: "fake", precision: "f32", channels: 3, alignment: 16, tile: 64, overlap: 16,
        scales: [
            .init(
                start: 0.8, refining: .init(steps: 3, guidance: 1, sampler: .euler),
                composing: .init(steps: 4, guidance: 2, sampler: .euler)),
            .init(reduction: 4, start: 1, refining: .init(steps: 4, guidance: 2, sampler: .euler)),
        ],
        scaleFactor: 4, summary: .init(width: 2, granularity: 16, capacity: 1000), residentBytes: 0,
        activationBytesPerCell: 0)

    /// Called for every prediction; may wait, to mix up the order in which tiles finish, or throw.
    var disturb: @Sendable (TileInput) async throws -> Void = { _ in }

    /// Called with the number of modules that are asked for.
    var make: @Sendable (Int) async -> Void = { _ in }

    /// Whether what it predicts of a cell depends on no others of the window than its left neighbour.
    var isLocal = false

    /// What it finds in every prompt.
    var elements: [String] = []

    /// What leads its composing.
    var forms: LearnedForms?

    func elements(of prompt: String) -> [String] { elements }

    func embedding(of prompt: String) throws -> Tensor {
        Tensor(shape: [1], elements: [Float(prompt.utf8.reduce(0) { $0 + Int($1) }) / 1000])
    }

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] { try prompts.map(embedding(of:)) }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        await make(modules)
        return FakeModules(shape: shape, concurrency: modules, disturb: disturb, isLocal: isLocal)
    }
}

/// How many modules a model was asked for, stage after stage.
actor AskedModules {
    private(set) var counts: [Int] = []
    func note(_ count: Int) { counts.append(count) }
}

struct FakeModules: ModulePool {
    let shape: TileShape
    let concurrency: Int
    let disturb: @Sendable (TileInput) async throws -> Void
    let isLocal: Bool

    func predict(_ input: TileInput) async throws -> TilePrediction {
        try await disturb(input)
        let heard = input.context.map { $0.elements.reduce(0, +) / Float($0.elements.count) } ?? 0
        let whole = isLocal ? 0 : input.noisy.elements.reduce(0, +) / Float(input.noisy.elements.count)
        let everywhere = 0.1 * heard + 0.1 * whole + 0.01 * Float(input.level.sigma)
        let (noisy, coarse) = (input.noisy.elements, input.coarse?.elements)
        let clean = noisy.indices.map { index in
            let left = index % shape.width > 0 ? noisy[index - 1] : 0
            let (row, column) = (index / shape.width, index % shape.width)
            let below = coarse.map { $0[row / 4 * (shape.width / 4) + column / 4] } ?? 0.1
            return 0.4 * noisy[index] + 0.2 * left + 0.2 * below + 0.1 * told(input, index) + everywhere
        }
        return TilePrediction(
            clean: Tensor(shape: input.noisy.shape, elements: clean), publication: tokens(input), networkSeconds: 0)
    }

    /// The prompt's number at a cell: one for all, or one for each square of 16.
    private func told(_ input: TileInput, _ index: Int) -> Float {
        guard input.embedding.shape.rank == 3 else { return input.embedding.elements[0] }
        let cell = index % (shape.height * shape.width)
        return input.embedding.elements[
            cell / shape.width / 16 * (shape.width / 16) + cell % shape.width / 16]
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        TilePublication(tokens: tokens(input), networkSeconds: 0)
    }

    private func tokens(_ input: TileInput) -> Tensor {
        let count = (shape.height / shape.cellsPerToken) * (shape.width / shape.cellsPerToken)
        let mean = input.noisy.elements.reduce(0, +) / Float(input.noisy.elements.count)
        return Tensor(shape: [count, 2], elements: (0..<2 * count).map { mean + Float($0) / 100 })
    }
}

/// A model that is a function of the tile, and publishes nothing that matters.
struct FunctionDenoiser: Denoiser {
    var traits = FakeDenoiser().traits
    let clean: @Sendable (TileInput) -> Tensor

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        prompts.map { _ in Tensor(shape: [1]) }
    }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        Modules(clean: clean)
    }

    struct Modules: ModulePool {
        let clean: @Sendable (TileInput) -> Tensor
        var concurrency: Int { 1 }

        func publish(_ input: TileInput) async throws -> TilePublication {
            TilePublication(tokens: Tensor(shape: [1, 2]), networkSeconds: 0)
        }

        func predict(_ input: TileInput) async throws -> TilePrediction {
            TilePrediction(clean: clean(input), publication: Tensor(shape: [1, 2]), networkSeconds: 0)
        }
    }
}

/// The canvas that a pipeline paints, as numbers: comparing whole tensors in an expectation would print them.
func canvas(
    _ request: PaintRequest, by denoiser: any Denoiser = FakeDenoiser(), modules: Int = 2, run: RunDirectory? = nil
) async throws -> Tensor? {
    let pipeline = try ParallelDiffusionPipeline(denoiser: denoiser, modules: modules)
    for try await event in pipeline.paint(request, run: run) {
        if case .finished(let painting) = event { return painting.canvas }
    }
    return nil
}
