import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Testing

/// Large linear layers with weights of 16 bits are computed with these in f32.
@Suite struct WideLinearTests {
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

    /// A linear map of `x`, which is no result itself, so that it may be replaced.
    private func graph(
        _ weights: WeightStore, _ shape: Shape, factor: Float? = nil, bias: Bool = true, isUsedTwice: Bool = false
    ) throws -> Graph {
        let g = GraphBuilder(name: "linear", weights: weights)
        let x = try g.parameter("x", shape: shape)
        let product = try g.linear(x, weight: g.weight("map.weight", shape: [Self.outputs, shape[2]]))
        var y = product
        if let factor { y = try g.multiply(y, factor) }
        if bias { y = try g.add(y, g.weight("map.bias", shape: [Self.outputs])) }
        if isUsedTwice { y = try g.add(y, g.multiply(product, product)) }
        try g.result("y", g.add(y, 2))
        return try g.build()
    }

    private func output(_ graph: Graph, _ x: Tensor) async throws -> Tensor {
        let request = try await sharedRuntime().compile(graph, options: .exact).makeRequest()
        try request.setInput("x", x)
        try await request.run()
        return try request.output("y")
    }

    private func count(_ type: String, in graph: Graph) -> Int {
        IRWriter().text(of: graph).split(separator: "type=\"\(type)\"").count - 1
    }

    @Test(
        "It equals the linear layer for both types of weight, with and without a factor and a bias",
        arguments: [("F16", nil, true, 1), ("F16", 0.3, false, 2), ("BF16", nil, false, 2), ("BF16", -3, true, 1)]
            as [(String, Float?, Bool, Int)])
    func equalsTheLinearLayer(dataType: String, factor: Float?, bias: Bool, count: Int) async throws {
        let shape: Shape = [count, 257, Self.inputs]
        let plain = try graph(store(dataType), shape, factor: factor, bias: bias)
        let wide = try plain.withWideLinearLayers()
        #expect(self.count("Convert", in: wide) < self.count("Convert", in: plain))
        #expect(self.count("Multiply", in: wide) == 0, "a factor goes into the weight")
        try await expectEqual(wide, plain, shape)
    }

    @Test("A product that more than its multiple needs keeps its weight")
    func productIsUsedTwice() async throws {
        let shape: Shape = [1, 256, Self.inputs]
        let plain = try graph(store("F16"), shape, factor: 0.5, isUsedTwice: true)
        let wide = try plain.withWideLinearLayers()
        #expect(count("Convert", in: wide) < count("Convert", in: plain))
        #expect(count("Multiply", in: wide) == count("Multiply", in: plain))
        try await expectEqual(wide, plain, shape)
    }

    @Test("One weight with two factors gives two")
    func factorsAreToldApart() async throws {
        let shape: Shape = [1, 256, Self.inputs]
        let g = GraphBuilder(name: "linear", weights: try store("F16"))
        let x = try g.parameter("x", shape: shape)
        let weight = try g.weight("map.weight", shape: [Self.outputs, Self.inputs])
        let y = try g.multiply(g.linear(x, weight: weight), 3)
        try g.result("y", g.subtract(y, g.multiply(g.linear(x, weight: weight), 2)))
        let plain = try g.build()
        try await expectEqual(plain.withWideLinearLayers(), plain, shape)
    }

    private func expectEqual(_ rewritten: Graph, _ plain: Graph, _ shape: Shape) async throws {
        let x = Tensor.random(shape, seed: 83)
        let expected = try await output(plain, x)
        let largest = expected.elements.map(abs).max() ?? 0
        let distance = try await output(rewritten, x).distance(to: expected)
        #expect(largest > 5)
        #expect(distance <= 1e-5 * largest, "largest distance \(distance) of \(largest)")
    }

    @Test("Small and other linear layers stay as they are")
    func othersStay() throws {
        func isRewritten(_ dataType: String = "F16", rows: Int = 256, inputs: Int = Self.inputs) throws -> Bool {
            let graph = try graph(store(dataType, inputs: inputs), [1, rows, inputs])
            return try IRWriter().text(of: graph.withWideLinearLayers()) != IRWriter().text(of: graph)
        }
        #expect(try isRewritten())
        #expect(try !isRewritten("F32"))
        #expect(try !isRewritten(rows: 255))
        #expect(try !isRewritten(inputs: 248))
    }
}
