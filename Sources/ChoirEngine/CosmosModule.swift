import Choir
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor

/// One module: its own input and output memory, and the preconditioning around the network.
actor CosmosModule: TileModule {
    private let denoiser: InferenceRequest
    private let publisher: InferenceRequest?
    private let configuration: CosmosConfiguration
    private let shape: TileShape
    private let execution: FreeList

    init(
        denoiser: CompiledModel, publisher: CompiledModel?, configuration: CosmosConfiguration, shape: TileShape,
        execution: FreeList
    ) throws {
        self.denoiser = try denoiser.makeRequest()
        self.publisher = try publisher?.makeRequest()
        self.configuration = configuration
        self.shape = shape
        self.execution = execution
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        let expected = expectation(of: input)
        let around = preconditioning(input)
        try fill(denoiser, with: input, expected, around)
        if let context = heard(by: input) {
            try denoiser.setInput("context", context.reshaped(to: [1, context.height, context.width]))
        }
        let seconds = try await denoiser.run(through: execution)
        var clean = expected
        try denoiser.withOutput("output") { output in
            clean.withMutableSpan { clean in
                for index in clean.indices {
                    let value = clean[unchecked: index] + output[unchecked: index] * around.outputScale
                    // Nothing is darker than black or brighter than white; what the network says beyond is error.
                    clean[unchecked: index] = min(max(value, -1), 1)
                }
            }
        }
        return TilePrediction(clean: clean, publication: try tokens(of: denoiser), networkSeconds: seconds)
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        guard let publisher else { preconditionFailure("these modules were not made to publish") }
        try fill(publisher, with: input, expectation(of: input), preconditioning(input))
        let seconds = try await publisher.run(through: execution)
        return TilePublication(tokens: try tokens(of: publisher), networkSeconds: seconds)
    }

    /// The tokens that a tile reads, `[contextTokens, width]`: those of all tiles.
    ///
    /// What guidance leads away from hears itself alone, as a canvas of one tile does: so guidance strengthens what the
    /// other tiles say as it does what the prompt says. Attention to copies of a token is attention to one of them.
    private func heard(by input: TileInput) -> Tensor? {
        guard input.isNegative, let context = input.context, let count = input.contextTiles?.count,
            let index = input.contextIndex
        else { return input.context }
        let size = context.elements.count / count
        let own = context.elements[(index * size)..<((index + 1) * size)]
        return Tensor(shape: context.shape, elements: repeatElement(own, count: count).flatMap { $0 })
    }

    /// What is known of the tile before its noisy version is seen.
    private func expectation(of input: TileInput) -> Tensor {
        input.coarse?.upsampledBilinear(by: configuration.scaleFactor)
            ?? Tensor(shape: input.noisy.shape, repeating: Float(configuration.picture.mean))
    }

    private func preconditioning(_ input: TileInput) -> CosmosPreconditioning {
        let picture = configuration.picture
        return CosmosPreconditioning(
            time: input.level.time, deviation: input.coarse == nil ? picture.deviation : picture.detail)
    }

    private func tokens(of request: InferenceRequest) throws -> Tensor {
        let tokens = try request.output("publication")
        return tokens.reshaped(to: [tokens.height, tokens.width])
    }

    /// What the network is told: the prompt of each square if it takes one, `[1, text, height, width]`, or `[1, text, 1, 1]`.
    private func text(of embedding: Tensor) -> Tensor {
        let network = configuration.network
        let (height, width) =
            shape.hasPromptPerSquare ? (shape.height / network.cell, shape.width / network.cell) : (1, 1)
        if embedding.shape == [network.text, height, width] {
            return embedding.reshaped(to: [1, network.text, height, width])
        }
        precondition(
            embedding.shape == [network.text], "a prompt of shape \(embedding.shape) for \(height) x \(width) squares")
        return Tensor(
            shape: [1, network.text, height, width],
            elements: embedding.elements.flatMap { repeatElement($0, count: height * width) })
    }

    private func fill(
        _ request: InferenceRequest, with input: TileInput, _ expected: Tensor, _ around: CosmosPreconditioning
    ) throws {
        precondition(
            input.noisy.shape == [3, shape.height, shape.width] && expected.shape == input.noisy.shape,
            "a tile of shape \(input.noisy.shape) for modules of \(shape.height) x \(shape.width)")
        try request.withInput("picture") { picture in
            input.noisy.withSpan { noisy in
                expected.withSpan { expected in
                    for index in noisy.indices {
                        let rest = noisy[unchecked: index] - around.expectedScale * expected[unchecked: index]
                        picture[unchecked: index] = rest * around.inputScale
                    }
                }
            }
        }
        let plane = shape.height / configuration.scaleFactor * (shape.width / configuration.scaleFactor)
        try request.withInput("coarse") { coarse in
            if let picture = input.coarse {
                picture.withSpan { picture in
                    for index in picture.indices { coarse[unchecked: index] = picture[unchecked: index] }
                }
                for index in 3 * plane..<4 * plane { coarse[unchecked: index] = 1 }
            } else {
                for index in coarse.indices { coarse[unchecked: index] = 0 }
            }
        }
        let network = configuration.network
        let features = CosmosPreconditioning.features(time: input.level.time, network: network)
        try request.setInput("level", Tensor(shape: [1, features.count], elements: features))
        var scale = Tensor(shape: [1, network.scales])
        scale[0, input.scale] = 1
        try request.setInput("scale", scale)
        try request.setInput("text", text(of: input.embedding))
    }
}
