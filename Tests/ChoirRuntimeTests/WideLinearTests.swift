import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Testing

/// Large linear layers with weights of 16 bits are computed with these in f32. A layer that is itself a result is computed
/// as it is, which gives these tests something to compare with.
@Suite struct WideLinearTests {
    private static let (inputs, outputs) = (520, 72)

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func store(_ dataType: String, inputs: Int = Self.inputs) throws -> WeightStore {
        let weight = Tensor.random([Self.outputs, inputs], seed: 81)
        let bias = Tensor.random([Self.outputs], seed: 82)
        let file = try writeCheckpoint(
            [
                ("map.weight", dataType, [Self.outputs, inputs], weight.bytes(as: dataType)),
                ("map.bias", dataType, [Self.outputs], bias.bytes(as: dataType)),
            ], to: "\(directory.path)/map.safetensors")
        return try WeightStore(files: [file])
    }

    /// The results `direct`, a linear map, `kept`, what is made of it, and `replaced`, the same made of a map that is no
    /// result.
    private func graph(
        _ weights: WeightStore, _ shape: Shape, factor: Float? = nil, bias: Bool = true, isUsedTwice: Bool = false
    ) throws -> Graph {
        let g = GraphBuilder(name: "linear", weights: weights)
        let x = try g.parameter("x", shape: shape)
        let weight = try g.weight("map.weight", shape: [Self.outputs, shape[2]])
        func finish(_ name: String, _ product: Value) throws {
            var y = product
            if let factor { y = try g.multiply(y, factor) }
            if bias { y = try g.add(y, g.weight("map.bias", shape: [Self.outputs])) }
            if isUsedTwice { y = try g.subtract(y, product) }
            try g.result(name, g.add(y, 2))
        }
        let direct = try g.linear(x, weight: weight)
        try g.result("direct", direct)
        try finish("kept", direct)
        try finish("replaced", g.linear(x, weight: weight))
        return try g.build()
    }

    private func count(_ pattern: String, in graph: Graph) -> Int {
        IRWriter().text(of: graph).split(separator: pattern).count - 1
    }

    private func wideWeights(in graph: Graph) -> Int {
        count("element_type=\"f32\" shape=\"\(Self.outputs),\(Self.inputs)\"", in: graph)
    }

    /// Expects that what was replaced equals what was kept, and gives the rewritten graph.
    @discardableResult
    private func expectEqual(_ plain: Graph, _ shape: Shape) async throws -> Graph {
        let wide = try plain.withWideLinearLayers()
        let request = try await sharedRuntime().compile(wide, options: .exact).makeRequest()
        try request.setInput("x", .random(shape, seed: 83))
        try await request.run()
        let expected = try request.output("kept")
        let largest = expected.elements.map(abs).max() ?? 0
        let distance = try request.output("replaced").distance(to: expected)
        #expect(largest > 5)
        #expect(distance <= 1e-5 * largest, "largest distance \(distance) of \(largest)")
        return wide
    }

    @Test(
        "It equals the linear layer for both types of weight, with and without a factor and a bias",
        arguments: [("F16", nil, true, 1), ("F16", 0.3, false, 2), ("BF16", nil, false, 2), ("BF16", -3, true, 1)]
            as [(String, Float?, Bool, Int)])
    func equalsTheLinearLayer(dataType: String, factor: Float?, bias: Bool, count: Int) async throws {
        let shape: Shape = [count, 257, Self.inputs]
        let plain = try graph(store(dataType), shape, factor: factor, bias: bias)
        let wide = try await expectEqual(plain, shape)
        #expect(wideWeights(in: plain) == 0)
        #expect(wideWeights(in: wide) == 1)
        #expect(self.count("type=\"Multiply\"", in: wide) == (factor == nil ? 0 : 1), "a factor goes into the weight")
    }

    @Test("A product that more than its multiple needs is not multiplied")
    func productIsUsedTwice() async throws {
        let shape: Shape = [1, 256, Self.inputs]
        let wide = try await expectEqual(graph(store("F16"), shape, factor: 4, isUsedTwice: true), shape)
        #expect(wideWeights(in: wide) == 1)
        #expect(count("type=\"Multiply\"", in: wide) == 2)
    }

    @Test("One weight with two factors gives two")
    func factorsAreToldApart() async throws {
        let shape: Shape = [1, 256, Self.inputs]
        let g = GraphBuilder(name: "linear", weights: try store("F16"))
        let x = try g.parameter("x", shape: shape)
        let weight = try g.weight("map.weight", shape: [Self.outputs, Self.inputs])
        let direct = try g.linear(x, weight: weight)
        try g.result("direct", direct)
        try g.result("kept", g.add(direct, 2))
        let difference = try g.subtract(
            g.multiply(g.linear(x, weight: weight), 3), g.multiply(g.linear(x, weight: weight), 2))
        try g.result("replaced", g.add(difference, 2))
        #expect(try await wideWeights(in: expectEqual(g.build(), shape)) == 2)
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
