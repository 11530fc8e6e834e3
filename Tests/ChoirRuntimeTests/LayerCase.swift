import ChoirGraph
import ChoirTensor
import Testing

/// One layer, inputs for it, and what a plain computation says that it gives.
struct LayerCase: Sendable, CustomTestStringConvertible {
    let name: String
    let inputs: [Tensor]
    let build: @Sendable (GraphBuilder, [Value]) throws(GraphError) -> Value
    let reference: @Sendable ([Tensor]) -> Tensor

    /// The largest allowed distance of an element, in f32.
    let tolerance: Float

    init(
        _ name: String,
        _ inputs: [Tensor],
        tolerance: Float = 1e-5,
        build: @escaping @Sendable (GraphBuilder, [Value]) throws(GraphError) -> Value,
        reference: @escaping @Sendable ([Tensor]) -> Tensor
    ) {
        self.name = name
        self.inputs = inputs
        self.build = build
        self.reference = reference
        self.tolerance = tolerance
    }

    var testDescription: String { "\(name) of \(inputs.map(\.shape.description).joined(separator: ", "))" }
}
