import Choir
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor

/// One module: its own input and output memory, and the conversion to clean latents around the network.
actor StableDiffusionModule: TileModule {
    private let request: InferenceRequest
    private let unet: StableDiffusionUNet
    private let shape: TileShape
    private let execution: FreeList

    init(_ model: CompiledModel, unet: StableDiffusionUNet, shape: TileShape, execution: FreeList) throws {
        request = try model.makeRequest()
        self.unet = unet
        self.shape = shape
        self.execution = execution
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        let seconds = try await run(input)
        var clean = try request.output("prediction").reshaped(to: input.noisy.shape)
        unet.parameterization.convertToClean(&clean, state: input.noisy, at: input.level)
        return TilePrediction(
            clean: clean, publication: shape.contextTokens > 0 ? try publication() : nil, networkSeconds: seconds)
    }

    /// The network lies between what a tile publishes, and a second one without its end would be a second copy of the
    /// weights. So it runs as a whole, and what it predicts goes unread.
    func publish(_ input: TileInput) async throws -> TilePublication {
        var deaf = input
        deaf.context = nil
        let seconds = try await run(deaf)
        return TilePublication(tokens: try publication(), networkSeconds: seconds)
    }

    private func publication() throws -> Tensor {
        let tokens = try request.output("publication")
        return tokens.reshaped(to: [tokens.height, tokens.width])
    }

    /// - Returns: Seconds that the engine took.
    private func run(_ input: TileInput) async throws -> Double {
        try fill(input)
        guard shape.contextTokens > 0 else { return try await request.run(through: execution) }
        if let context = input.context {
            let biases = unet.contextBias(of: input, cellsPerToken: shape.cellsPerToken)
            try request.setInput("context", context.reshaped(to: [1, context.height, context.width]))
            try request.setInput("contextBias", Tensor(shape: [1, biases.count], elements: biases))
        } else {
            // Who hears nobody reads tokens that do not count; zeros, because even so a NaN would.
            try request.withInput("context") { context in
                for index in context.indices { context[unchecked: index] = 0 }
            }
            let silence = Tensor(shape: [1, shape.contextTokens], repeating: UNetBridge.hidden)
            try request.setInput("contextBias", silence)
        }
        return try await request.run(through: execution)
    }

    private func fill(_ input: TileInput) throws {
        let noisy = input.noisy
        precondition(
            noisy.height == shape.height && noisy.width == shape.width,
            "a tile of shape \(noisy.shape) for modules of \(shape.height) x \(shape.width)")
        let configuration = unet.configuration
        try request.setInput("sample", noisy.reshaped(to: Shape([1] + noisy.shape.dimensions)))
        try request.setInput("time", configuration.timeFeatures(step: input.level.time))
        // Written where it is read: with SDXL these are 51 MB, for every tile and step.
        let told = input.embedding.elements
        let textCount = told.count - unet.pooledWidth
        try request.withInput("text") { text in
            precondition(text.count == textCount, "\(textCount) numbers of text for a network that takes \(text.count)")
            for index in text.indices { text[unchecked: index] = told[index] }
        }
        let pooled = Array(told[textCount...])
        if let addition = configuration.additionFeatures(pooledText: pooled, timeIDs: unet.timeIDs(of: input)) {
            try request.setInput("addition", addition)
        }
        if let guidance = configuration.guidanceFeatures(scale: input.guidanceScale) {
            try request.setInput("guidance", guidance)
        }
    }
}
