import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Testing

/// How many threads a request has follows from the number of modules, and a picture must not.
///
/// At the sizes of real checkpoints: for small layers the engine takes the same way whatever the threads.
@Suite struct ThreadCountTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func weights(_ shapes: [String: [Int]]) throws -> WeightStore {
        let tensors = shapes.sorted { $0.key < $1.key }.enumerated().map { index, entry in
            let weight = Tensor.random(Shape(entry.value), seed: UInt64(90 + index), in: -0.05...0.05)
            return (name: entry.key, dataType: "F16", shape: entry.value, bytes: weight.float16Bytes)
        }
        return try WeightStore(files: [try writeCheckpoint(tensors, to: "\(directory.path)/weights.safetensors")])
    }

    /// Expects the same bits for one, two and three threads.
    private func expectSameBits(_ graph: Graph, _ x: Tensor) async throws {
        var outputs: [Tensor] = []
        for threads in 1...3 {
            var options = CompileOptions.exact
            options.threads = threads
            let request = try await sharedRuntime().compile(graph, options: options).makeRequest()
            try request.setInput("x", x)
            try await request.run()
            outputs.append(try request.output("y"))
        }
        #expect(outputs[0].elements.contains { $0 > 1 })
        for output in outputs.dropFirst() {
            #expect(output == outputs[0], "largest distance \(output.distance(to: outputs[0]))")
        }
    }

    @Test("A residual block of SD 1.5 gives the same bits for any number of threads")
    func residualBlock() async throws {
        let (channels, side) = (320, 64)
        let g = GraphBuilder(
            name: "residual",
            weights: try weights([
                "norm.weight": [channels], "norm.bias": [channels],
                "conv.weight": [channels, channels, 3, 3], "conv.bias": [channels],
            ]))
        let x = try g.parameter("x", shape: [1, channels, side, side])
        let normal = try g.silu(g.groupNormalization(x, named: "norm", groups: 32))
        let y = try g.convolution(normal, named: "conv", outputChannels: channels, kernel: 3, padding: 1)
        try g.result("y", g.multiply(g.add(x, y), 2))
        try await expectSameBits(g.build(), .random([1, channels, side, side], seed: 91))
    }

    @Test("An attention and a gated layer of SDXL give the same bits for any number of threads")
    func transformerBlock() async throws {
        let (channels, rows, heads) = (640, 1024, 10)
        var shapes = ["wide.weight": [8 * channels, channels], "narrow.weight": [channels, 4 * channels]]
        for name in ["norm.weight", "norm.bias"] { shapes[name] = [channels] }
        for name in ["query.weight", "key.weight", "value.weight"] { shapes[name] = [channels, channels] }
        shapes["wide.bias"] = [8 * channels]
        let g = GraphBuilder(name: "transformer", weights: try weights(shapes))
        let x = try g.parameter("x", shape: [1, rows, channels])
        let normal = try g.layerNormalization(x, named: "norm")
        func split(_ name: String, factor: Float? = nil) throws -> Value {
            var y = try g.linear(normal, named: name, outputs: channels, bias: false)
            if let factor { y = try g.multiply(y, factor) }
            return try g.transpose(g.reshape(y, to: [1, rows, heads, channels / heads]), order: [0, 2, 1, 3])
        }
        // As the UNet has it: the scale is in the query.
        let attended = try g.scaledDotProductAttention(
            query: split("query", factor: 0.125), key: split("key"), value: split("value"), scale: 1)
        let joined = try g.reshape(g.transpose(attended, order: [0, 2, 1, 3]), to: [1, rows, channels])
        let halves = try g.linear(g.add(joined, x), named: "wide", parts: [4 * channels, 4 * channels])
        let gated = try g.geglu(halves[0], gate: halves[1])
        let narrow = try g.linear(gated, named: "narrow", outputs: channels, bias: false)
        try g.result("y", g.multiply(g.add(x, narrow), 2))
        try await expectSameBits(g.build(), .random([1, rows, channels], seed: 92))
    }
}
