import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Testing

/// Large linear layers with weights of 16 bits are computed as convolutions of 1 x 1 cells.
@Suite struct PointwiseLinearTests {
    private static let (inputs, outputs) = (520, 72)

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func store(_ dataType: String, inputs: Int = Self.inputs) throws -> WeightStore {
        let weight = Tensor.random([Self.outputs, inputs], seed: 81)
        let bias = Tensor.random([Self.outputs], seed: 82)
        func bytes(_ tensor: Tensor) -> [UInt8] {
            switch dataType {
            case "F16": tensor.float16Bytes
            case "BF16": tensor.bfloat16Bytes
            default: tensor.float32Bytes
            }
        }
        let file = try writeCheckpoint(
            [
                ("map.weight", dataType, [Self.outputs, inputs], bytes(weight)),
                ("map.bias", dataType, [Self.outputs], bytes(bias)),
            ], to: "\(directory.path)/map.safetensors")
        return try WeightStore(files: [file])
    }

    /// Twice a linear map of `x`, which is no result itself, so that it may be replaced.
    private func graph(
        _ weights: WeightStore, _ shape: Shape, bias: Bool = true, isUsedTwice: Bool = false
    ) throws -> Graph {
        let g = GraphBuilder(name: "linear", weights: weights)
        let x = try g.parameter("x", shape: shape)
        let weight = try g.weight("map.weight", shape: [Self.outputs, shape[2]])
        let product = try g.linear(x, weight: weight)
        var y = product
        if bias { y = try g.add(y, g.weight("map.bias", shape: [Self.outputs])) }
        if isUsedTwice { y = try g.add(y, g.multiply(product, product)) }
        try g.result("y", g.multiply(y, 2))
        return try g.build()
    }

    private func output(_ graph: Graph, _ x: Tensor) async throws -> Tensor {
        let request = try await sharedRuntime().compile(graph, options: .exact).makeRequest()
        try request.setInput("x", x)
        try await request.run()
        return try request.output("y")
    }

    @Test(
        "It equals the linear layer for both types of weight, with and without bias, and where the product is used too",
        arguments: [
            ("F16", true, false, 1), ("F16", false, false, 2), ("BF16", true, false, 2), ("F16", true, true, 1),
        ])
    func equalsTheLinearLayer(dataType: String, bias: Bool, isUsedTwice: Bool, count: Int) async throws {
        let shape: Shape = [count, 257, Self.inputs]
        let plain = try graph(store(dataType), shape, bias: bias, isUsedTwice: isUsedTwice)
        let rewritten = try plain.withPointwiseLinearLayers()
        #expect(IRWriter().text(of: rewritten).contains("type=\"Convolution\""))
        #expect(!IRWriter().text(of: rewritten).contains("type=\"MatMul\""))
        let x = Tensor.random(shape, seed: 83)
        let expected = try await output(plain, x)
        let largest = expected.elements.map(abs).max() ?? 0
        let distance = try await output(rewritten, x).distance(to: expected)
        #expect(largest > 10)
        #expect(distance <= 1e-5 * largest, "largest distance \(distance) of \(largest)")
    }

    @Test("Small and other linear layers stay as they are")
    func othersStay() throws {
        func isRewritten(_ dataType: String = "F16", rows: Int = 256, inputs: Int = Self.inputs) throws -> Bool {
            let graph = try graph(store(dataType, inputs: inputs), [1, rows, inputs])
            return try IRWriter().text(of: graph.withPointwiseLinearLayers()) != IRWriter().text(of: graph)
        }
        #expect(try isRewritten())
        // The engine has a fast kernel for weights of f32.
        #expect(try !isRewritten("F32"))
        #expect(try !isRewritten(rows: 255))
        #expect(try !isRewritten(inputs: 504))
        #expect(try !isRewritten(inputs: 1024))
    }
}
