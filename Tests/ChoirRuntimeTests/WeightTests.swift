import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Testing

@Suite struct WeightTests {
    @Test("Weights of two files in f32, f16 and bf16 at odd offsets, and inline constants, are one model")
    func shardsAndTypesWorkTogether() async throws {
        let directory = try TemporaryDirectory()
        let kernel = Tensor.random([6, 3, 3, 3], seed: 31)
        let bias = Tensor.random([6], seed: 32)
        let half = Tensor.random([6, 6, 1, 1], seed: 33)
        let brain = Tensor.random([5, 6], seed: 34)
        let files = [
            try writeCheckpoint(
                [
                    ("odd", "U8", [1], [7]), ("conv.weight", "F32", [6, 3, 3, 3], kernel.float32Bytes),
                    ("conv.bias", "F32", [6], bias.float32Bytes),
                ],
                to: "\(directory.path)/1.safetensors"
            ),
            try writeCheckpoint(
                [
                    ("odd2", "U8", [3], [1, 2, 3]), ("mix.weight", "F16", [6, 6, 1, 1], half.float16Bytes),
                    ("out.weight", "BF16", [5, 6], brain.bfloat16Bytes),
                ],
                to: "\(directory.path)/2.safetensors"
            ),
        ]
        let x = Tensor.random([1, 3, 6, 6], seed: 35)

        let g = GraphBuilder(name: "shards", weights: try WeightStore(files: files))
        let input = try g.parameter("x", shape: x.shape)
        let convolved = try g.convolution(input, named: "conv", outputChannels: 6, kernel: 3, padding: 1)
        let mixed = try g.convolution(convolved, named: "mix", outputChannels: 6, kernel: 1, bias: false)
        let pooled = try g.reduceMean(g.multiply(mixed, 3), axes: [2, 3], keepDimensions: false)
        try g.result("y", g.linear(pooled, named: "out", outputs: 5, bias: false))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        try request.setInput("x", x)
        try await request.run()

        // The same from inline f32 constants, in which the stored types were applied beforehand.
        let expected = try await run([x]) { (g, x) throws(GraphError) in
            let convolved = try g.convolution(
                x[0],
                weight: g.constant(kernel),
                bias: g.constant(bias),
                padding: 1
            )
            let mixed = try g.convolution(convolved, weight: g.constant(half.throughFloat16))
            let pooled = try g.reduceMean(g.multiply(mixed, 3), axes: [2, 3], keepDimensions: false)
            return [try g.linear(pooled, weight: g.constant(brain.throughBFloat16))]
        }[0]
        let distance = try request.output("y").distance(to: expected)
        #expect(distance <= 1e-5, "largest distance \(distance)")
    }

    @Test(
        "A linear map in parts gives the parts of the whole, of a weight that lies as it is or transposed",
        arguments: [("F32", false), ("F16", false), ("BF16", false), ("F16", true)])
    func partsAreOfTheWhole(dataType: String, isTransposed: Bool) async throws {
        let directory = try TemporaryDirectory()
        let weight = Tensor.random([7, 4], seed: 42)
        let bias = Tensor.random([7], seed: 43)
        let stored = isTransposed ? Tensor(shape: [4, 7]) { weight.at([$0[1], $0[0]]) } : weight
        let file = try writeCheckpoint(
            [
                ("map.weight", dataType, stored.shape.dimensions, stored.bytes(as: dataType)),
                ("map.bias", dataType, [7], bias.bytes(as: dataType)),
            ], to: "\(directory.path)/map.safetensors")
        let naming = WeightNaming { name in
            [WeightSource(name, isTransposed: isTransposed && name == "map.weight")]
        }
        let g = GraphBuilder(name: "parts", weights: try WeightStore(files: [file], naming: naming))
        let x = try g.parameter("x", shape: [2, 4])
        let parts = try g.linear(x, named: "map", parts: [2, 4, 1])
        for (index, part) in parts.enumerated() { try g.result("part \(index)", part) }
        try g.result("whole", g.linear(x, named: "map", outputs: 7))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        try request.setInput("x", .random([2, 4], seed: 44))
        try await request.run()
        let whole = try request.output("whole")
        for (index, columns) in [0..<2, 2..<6, 6..<7].enumerated() {
            let part = try request.output("part \(index)")
            let expected = Tensor(shape: [2, columns.count]) { whole.at([$0[0], columns.lowerBound + $0[1]]) }
            #expect(part.shape == expected.shape)
            #expect(part.distance(to: expected) <= 1e-6)
        }
    }

    @Test("A table in a file is read row by row", arguments: ["F32", "F16", "BF16"])
    func embeddingReadsRows(dataType: String) async throws {
        let directory = try TemporaryDirectory()
        let table = Tensor.random([9, 4], seed: 41)
        let (bytes, stored) =
            switch dataType {
            case "F16": (table.float16Bytes, table.throughFloat16)
            case "BF16": (table.bfloat16Bytes, table.throughBFloat16)
            default: (table.float32Bytes, table)
            }
        let file = try writeCheckpoint(
            [("words.weight", dataType, [9, 4], bytes)],
            to: "\(directory.path)/table.safetensors"
        )
        let g = GraphBuilder(name: "table", weights: try WeightStore(files: [file]))
        let ids = try g.parameter("ids", shape: [3], elementType: .i64)
        try g.result("rows", g.embedding(ids, named: "words", count: 9, width: 4))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        try request.setInput("ids", integers: [8, 0, 3], shape: [3])
        try await request.run()
        #expect(try request.output("rows") == Tensor(shape: [3, 4]) { stored.at([[8, 0, 3][$0[0]], $0[1]]) })
    }

    @Test("The model keeps the weights alive that only it refers to")
    func modelKeepsWeightsAlive() async throws {
        let directory = try TemporaryDirectory()
        let weight = Tensor.random([64, 64], seed: 51)
        let x = Tensor.random([2, 64], seed: 52)
        func request() async throws -> InferenceRequest {
            let file = try writeCheckpoint(
                [("w.weight", "F32", [64, 64], weight.float32Bytes)],
                to: "\(directory.path)/w.safetensors"
            )
            let g = GraphBuilder(name: "alive", weights: try WeightStore(files: [file]))
            try g.result("y", g.linear(g.parameter("x", shape: [2, 64]), named: "w", outputs: 64, bias: false))
            return try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        }
        let alive = try await request()
        try alive.setInput("x", x)
        try await alive.run()
        let expected = try await run([x]) { (g, x) throws(GraphError) in
            [try g.linear(x[0], weight: g.constant(weight))]
        }[0]
        #expect(try alive.output("y").distance(to: expected) <= 1e-5)
    }
}
