import ChoirGraph
import ChoirTensor
import Testing

@Suite struct LayerParityTests {
    @Test(
        "Every emitted layer gives the numbers of a plain computation",
        arguments: LayerCase.elementwise + LayerCase.convolutions + LayerCase.normalizations + LayerCase.products
            + LayerCase.shapes + LayerCase.resamplings
    )
    func layerAgreesWithReference(layer: LayerCase) async throws {
        let expected = layer.reference(layer.inputs)
        let found = try await run(layer.inputs) { (g, x) throws(GraphError) in [try layer.build(g, x)] }[0]
        #expect(found.shape == expected.shape)
        let distance = found.distance(to: expected)
        #expect(distance <= layer.tolerance, "largest distance \(distance), allowed \(layer.tolerance)")
    }
}
