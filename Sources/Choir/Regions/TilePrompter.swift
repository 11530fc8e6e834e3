import ChoirSampling
import ChoirTensor

/// Tells each tile of a stage what it shows, and puts its evaluations together.
struct TilePrompter: Sendable {
    let regions: StageRegions

    /// The model's form of each prompt and negative prompt.
    let embeddings: [String: Tensor]

    /// The model's form of all prompts of a request: all at once, so that a model need not be read for each.
    static func embeddings(
        of request: PaintRequest, by denoiser: any Denoiser
    ) async throws -> [String: Tensor] {
        var prompts: [String] = []
        for content in RegionLayout(request).contents {
            for text in [content.prompt, content.negativePrompt ?? request.negativePrompt]
            where !prompts.contains(text) {
                prompts.append(text)
            }
        }
        let embeddings = try await denoiser.embeddings(of: prompts, clipSkip: request.clipSkip)
        precondition(embeddings.count == prompts.count, "a model embeds every prompt")
        return Dictionary(uniqueKeysWithValues: zip(prompts, embeddings))
    }

    /// What one evaluation is told, and its share of the prediction at each cell.
    private struct Term {
        let embedding: Tensor
        let readScale: Double
        let share: [Float]
    }

    /// Denoises cells.
    ///
    /// - Parameter input: What the tile sees; its embedding and scale of guidance are replaced.
    func predict(_ input: TileInput, in seen: SeenCells, by modules: any ModulePool) async throws -> TilePrediction {
        switch regions.telling(in: seen) {
        case .one(let content):
            return try await predict(
                input, embedding: embedding(content), negative: negative(content), guidedAs: content, by: modules)
        case .mixed(let weights):
            return try await predict(
                input, embedding: mixed(weights, embedding), negative: mixed(weights, negative),
                guidedAs: weights.contents[0], by: modules)
        case .mixedAndBlended(let weights):
            let cells = regions.cellWeights(in: seen)
            // At each cell g·D(prompts) + (1 - g)·D(negative prompts), with the mean g of its contents.
            var scale = [Float](repeating: 0, count: seen.count)
            for (content, weights) in zip(cells.contents, cells.weights) {
                let own = Float(regions.guidances[content].scale)
                for cell in scale.indices { scale[cell] += own * weights[cell] }
            }
            return try await blend(
                [
                    Term(embedding: mixed(weights, embedding), readScale: 1, share: scale),
                    Term(embedding: mixed(weights, negative), readScale: 1, share: scale.map { 1 - $0 }),
                ], input, by: modules)
        case .blended(let weights):
            let terms = regions.terms(weights).compactMap { term in
                embeddings[term.prompt].map {
                    Term(embedding: $0, readScale: term.readScale, share: term.share)
                }
            }
            return try await blend(terms, input, by: modules)
        }
    }

    /// What a tile publishes before it is denoised: told all at once where the model can be, or else what covers most.
    func publish(_ input: TileInput, in seen: SeenCells, by modules: any ModulePool) async throws -> TilePublication {
        var input = input
        func tell(_ content: Int) {
            input.embedding = embedding(content)
            input.guidanceScale = regions.readScales[content]
        }
        switch regions.telling(in: seen) {
        case .one(let content): tell(content)
        case .mixed(let weights), .mixedAndBlended(let weights):
            tell(weights.contents[0])
            input.embedding = mixed(weights, embedding)
        case .blended(let weights):
            let sums = weights.weights.map { $0.reduce(0, +) }
            let most = sums.indices.max { sums[$0] < sums[$1] } ?? 0
            tell(weights.contents[most])
        }
        return try await modules.publish(input)
    }

    private func predict(
        _ input: TileInput, embedding: Tensor, negative: Tensor, guidedAs content: Int, by modules: any ModulePool
    ) async throws -> TilePrediction {
        var conditional = input
        conditional.embedding = embedding
        conditional.guidanceScale = regions.readScales[content]
        return try await modules.predict(conditional, regions.guidances[content], awayFrom: negative)
    }

    /// The sum of predictions by their shares, in the order of the terms. The tile publishes what the term with the
    /// largest share says.
    private func blend(
        _ terms: [Term], _ input: TileInput, by modules: any ModulePool
    ) async throws -> TilePrediction {
        let predictions = try await withThrowingTaskGroup(of: (Int, TilePrediction).self) { group in
            for (index, term) in terms.enumerated() {
                var told = input
                told.embedding = term.embedding
                told.guidanceScale = term.readScale
                // With a scale above 1, what is led away from counts below nothing.
                told.isNegative = term.share.reduce(0, +) < 0
                group.addTask { [told] in (index, try await modules.predict(told)) }
            }
            return try await group.reduce(into: [Int: TilePrediction]()) { $0[$1.0] = $1.1 }
        }
        let sums = terms.map { $0.share.reduce(0, +) }
        let most = sums.indices.max { sums[$0] < sums[$1] } ?? 0
        var blended = TilePrediction(
            clean: Tensor(shape: input.noisy.shape), publication: predictions[most]?.publication, networkSeconds: 0)
        for (index, term) in terms.enumerated() {
            guard let prediction = predictions[index] else { continue }
            blended.clean.add(prediction.clean, sharedBy: term.share)
            blended.networkSeconds += prediction.networkSeconds
        }
        return blended
    }

    /// The model's form of a content's prompt; content 0 is the request's.
    func embedding(_ content: Int) -> Tensor {
        embeddings[regions.layout.contents[content].prompt] ?? Tensor(shape: [0])
    }

    private func negative(_ content: Int) -> Tensor { embeddings[regions.negatives[content]] ?? Tensor(shape: [0]) }

    /// The mean of the contents' vectors at each square, `[text, rows, columns]`.
    private func mixed(_ weights: RegionWeights, _ vector: (Int) -> Tensor) -> Tensor {
        let (rows, columns) = (weights.height, weights.width)
        let vectors = weights.contents.map(vector)
        let width = vectors.first?.shape.elementCount ?? 0
        var elements = [Float](repeating: 0, count: width * rows * columns)
        for (vector, weights) in zip(vectors, weights.weights) {
            let vector = vector.elements
            for channel in vector.indices {
                for cell in weights.indices {
                    elements[channel * weights.count + cell] += weights[cell] * vector[channel]
                }
            }
        }
        return Tensor(shape: [width, rows, columns], elements: elements)
    }
}

extension Tensor {
    /// Adds another tensor `[channels, height, width]`, each cell of it multiplied by its share, in all channels.
    fileprivate mutating func add(_ other: Tensor, sharedBy share: [Float]) {
        precondition(shape == other.shape && share.count == height * width, "shapes \(shape) and \(other.shape)")
        other.withSpan { other in
            withMutableSpan { elements in
                for start in stride(from: 0, to: elements.count, by: share.count) {
                    for cell in share.indices {
                        elements[unchecked: start + cell] += share[cell] * other[unchecked: start + cell]
                    }
                }
            }
        }
    }
}
