import ChoirRuntime
import ChoirTensor
import Testing

@testable import ChoirGraph

/// Convolutions of enlarged pictures are computed from the pictures before. A convolution that is itself a result is
/// computed as it is, which gives these tests something to compare with.
@Suite struct EnlargedConvolutionTests {
    /// Enough to be replaced.
    private static let channels = 256

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func store(_ dataType: String, outputs: Int) throws -> WeightStore {
        let weight = Tensor.random([outputs, Self.channels, 3, 3], seed: 75)
        let file = try writeCheckpoint(
            [("conv.weight", dataType, [outputs, Self.channels, 3, 3], weight.bytes(as: dataType))],
            to: "\(directory.path)/conv.safetensors"
        )
        return try WeightStore(files: [file])
    }

    @Test(
        "It equals the convolution of the enlarged picture for every type of weight and any size",
        arguments: [
            ("F32", 8, 9, 1, 1), ("F16", 9, 8, 2, 1), ("BF16", 1, 128, 1, 1), ("F32", 70, 1, 1, 1),
            ("F16", 17, 5, 2, 3),
        ])
    func equalsTheConvolution(dataType: String, height: Int, width: Int, count: Int, bands: Int) async throws {
        let shape: Shape = [count, Self.channels, height, width]
        let outputs = Self.channels + 8
        let g = GraphBuilder(name: "enlarged", weights: try store(dataType, outputs: outputs))
        let x = try g.parameter("x", shape: shape)
        let weight = try g.weight("conv.weight", shape: [outputs, Self.channels, 3, 3])
        let enlarged = try g.interpolate(x, scale: 2, method: .nearest)
        try g.result("direct", g.convolution(enlarged, weight: weight, padding: 1))
        try g.result("replaced", g.multiply(g.convolution(enlarged, weight: weight, padding: 1), 0.5))
        let graph = try g.build()
        let largest = 4 * count * width * outputs * ((height + bands - 1) / bands)
        let replaced = try graph.withEnlargedConvolutions(largestBand: largest)
        #expect(IRWriter().text(of: replaced).split(separator: "type=\"MatMul\"").count - 1 == 9 * bands)

        try await expectReplacedEqualsDirect(replaced, .random(shape, seed: 76), within: 5e-6)
    }

    @Test("Others stay as they are")
    func othersStay() throws {
        let weights = try store("F16", outputs: Self.channels)
        func isReplaced(
            height: Int = 8, scale: Int = 2, method: GraphBuilder.Interpolation = .nearest, padding: Padding = 1,
            stride: Int = 1, dilation: Int = 1
        ) throws -> Bool {
            let g = GraphBuilder(name: "others", weights: weights)
            let weight = try g.weight("conv.weight", shape: [Self.channels, Self.channels, 3, 3])
            let x = try g.parameter("x", shape: [1, Self.channels, height, 8])
            let enlarged = try g.interpolate(x, scale: scale, method: method)
            let y = try g.convolution(enlarged, weight: weight, stride: stride, padding: padding, dilation: dilation)
            try g.result("y", g.multiply(y, 2))
            let graph = try g.build()
            return try graph.withEnlargedConvolutions().layerCount != graph.layerCount
        }
        #expect(try isReplaced())
        #expect(try !isReplaced(height: 7))
        #expect(try !isReplaced(scale: 3))
        #expect(try !isReplaced(method: .linear))
        #expect(try !isReplaced(padding: 0))
        #expect(try !isReplaced(padding: Padding(top: 1, left: 1, bottom: 0, right: 1)))
        #expect(try !isReplaced(stride: 2))
        #expect(try !isReplaced(dilation: 2))
    }

    @Test("No weights are counted for Winograd's algorithm where it is not used")
    func winogradLeavesThemAlone() throws {
        let g = GraphBuilder(name: "both", weights: try store("F16", outputs: Self.channels))
        let x = try g.parameter("x", shape: [1, Self.channels, 8, 8])
        let weight = try g.weight("conv.weight", shape: [Self.channels, Self.channels, 3, 3])
        let enlarged = try g.interpolate(x, scale: 2, method: .nearest)
        try g.result("y", g.multiply(g.convolution(enlarged, weight: weight, padding: 1), 2))
        let graph = try g.build()
        #expect(graph.winogradByteCount == 0)
        #expect(try graph.withWinogradConvolutions().layerCount == graph.layerCount)
    }
}
