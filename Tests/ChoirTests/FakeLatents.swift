import Choir
import ChoirSampling
import ChoirTensor
import Foundation

/// An arithmetic latent model of four channels and eight pixels a cell; its codec paints each cell as a square.
struct FakeLatentDenoiser: Denoiser {
    var traits = ModelTraits(
        name: "latent", precision: "f32", channels: 4, pixelsPerCell: 8, alignment: 2, tile: 16, overlap: 4,
        noise: .flow(), guidesBelowOne: false,
        scales: [.init(start: 0.6, refining: .init(steps: 5, guidance: 2, sampler: .ddim))], scaleFactor: 2,
        summary: nil, residentBytes: 1000, activationBytesPerCell: 0)

    /// Sees every input.
    var observe: @Sendable (TileInput) async throws -> Void = { _ in }

    var codec: (any LatentCodec)? { FakeCodec() }

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        prompts.map { Tensor(shape: [2], elements: [Float($0.utf8.count), 1]) }
    }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool {
        Modules(concurrency: modules, embedding: embedding, observe: observe)
    }

    struct Modules: ModulePool {
        let concurrency: Int
        let embedding: Shape
        let observe: @Sendable (TileInput) async throws -> Void

        func predict(_ input: TileInput) async throws -> TilePrediction {
            try await observe(input)
            precondition(input.embedding.shape == embedding && input.coarse == nil)
            // What a cell becomes depends on its left neighbour in the window and on the prompt.
            let (noisy, width) = (input.noisy.elements, input.noisy.width)
            let clean = noisy.indices.map { index in
                let left = index % width > 0 ? noisy[index - 1] : 0
                return 0.5 * noisy[index] + 0.2 * left + 0.01 * input.embedding.elements[0]
            }
            return TilePrediction(
                clean: Tensor(shape: input.noisy.shape, elements: clean), publication: nil, networkSeconds: 0)
        }

        func publish(_ input: TileInput) async throws -> TilePublication {
            preconditionFailure("nothing is published")
        }
    }
}

/// Paints the first three channels of a cell as a square of colour, in strips of a height that divides nothing.
struct FakeCodec: LatentCodec {
    let pixelsPerCell = 8
    let latentChannels = 4
    static let rows = 13

    func decode(_ canvas: Tensor, strip: (Tensor) async throws -> Void) async throws {
        for top in stride(from: 0, to: canvas.height * 8, by: Self.rows) {
            let rows = min(Self.rows, canvas.height * 8 - top)
            let pixels = (0..<3 * rows).flatMap { line in
                let cells = (line / rows * canvas.height + (top + line % rows) / 8) * canvas.width
                return canvas.elements[cells..<cells + canvas.width].flatMap { repeatElement($0, count: 8) }
            }
            try await strip(Tensor(shape: [3, rows, canvas.width * 8], elements: pixels))
        }
    }

    func decodingBytes(height: Int, width: Int) -> Int { height * width * 1_000_000 }
}

/// The painting of a request.
func painting(
    _ request: PaintRequest, by denoiser: any Denoiser = FakeLatentDenoiser(), modules: Int = 2,
    run: RunDirectory? = nil
) async throws -> Painting? {
    let pipeline = try ParallelDiffusionPipeline(denoiser: denoiser, modules: modules)
    for try await event in pipeline.paint(request, run: run) {
        if case .finished(let painting) = event { return painting }
    }
    return nil
}

/// The largest difference of two tensors; infinite if their shapes differ.
func distance(_ left: Tensor, _ right: Tensor) -> Float {
    guard left.shape == right.shape else { return .infinity }
    return zip(left.elements, right.elements).map { abs($0 - $1) }.max() ?? 0
}
