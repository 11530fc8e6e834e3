import Choir
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor

/// One module: its own input and output memory, and the conversion to the clean tile around the graph.
actor OwnDenoiserModule: TileModule {
    private let request: InferenceRequest
    private let network: OwnDenoiserNetwork
    private let shape: TileShape
    private let execution: FreeList

    init(_ model: CompiledModel, network: OwnDenoiserNetwork, shape: TileShape, execution: FreeList) throws {
        request = try model.makeRequest()
        self.network = network
        self.shape = shape
        self.execution = execution
    }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        let (manifest, noisy) = (network.manifest, input.noisy)
        precondition(
            noisy.height == shape.height && noisy.width == shape.width,
            "a tile of shape \(noisy.shape) for modules of \(shape.height) x \(shape.width)")
        try request.setInput(manifest.sample, noisy.reshaped(to: Shape([1] + noisy.shape.dimensions)))
        try request.setInput(manifest.level, network.level(input.level))
        for condition in network.conditions {
            try request.setInput(
                condition.name, input.isNegative ? condition.unconditional : condition.told)
        }
        let seconds = try await request.run(through: execution)
        var clean = try request.output(network.graph.output).reshaped(to: noisy.shape)
        guard clean.withSpan({ span in span.indices.allSatisfy { span[$0].isFinite } }) else {
            throw ModelError(
                manifest.graphPath,
                "output \(network.graph.output): found a number that is not finite, at the noise level "
                    + "\(input.level.time); expected finite numbers")
        }
        manifest.prediction.convertToClean(&clean, state: noisy, at: input.level)
        return TilePrediction(clean: clean, publication: nil, networkSeconds: seconds)
    }

    func publish(_ input: TileInput) async throws -> TilePublication {
        preconditionFailure("tiles of such a denoiser publish nothing")
    }
}
