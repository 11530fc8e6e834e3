import ChoirGraph
import ChoirTensor
import Testing

/// A wrong call and what the builder says about it.
struct WrongLayer: Sendable, CustomTestStringConvertible {
    let error: String
    let build: @Sendable (GraphBuilder, Value) throws(GraphError) -> Value

    init(
        _ error: String,
        _ build: @escaping @Sendable (GraphBuilder, Value) throws(GraphError) -> Value
    ) {
        self.error = error
        self.build = build
    }

    var testDescription: String { error }
}

@Suite struct GraphErrorTests {
    /// All are built in the scope `mid.0` from `x`, an f32 value `[1, 4, 8, 8]`.
    static let wrongLayers: [WrongLayer] = [
        WrongLayer("mid.0/Add: shapes [1, 4, 8, 8] and [3] do not fit together") { (g, x) throws(GraphError) in
            try g.add(x, g.constant([1, 2, 3], shape: [3]))
        },
        WrongLayer("mid.0/Multiply: expected two operands of one type, f32 or integer, found f32 and i64") {
            (g, x) throws(GraphError) in
            try g.multiply(x, g.constant(integers: [1], shape: [1]))
        },
        WrongLayer("mid.0/Sqrt: expected f32, found i32") { (g, x) throws(GraphError) in
            try g.sqrt(g.convert(x, to: .i32))
        },
        WrongLayer("mid.0/Convert: f16 is for stored weights only") { (g, x) throws(GraphError) in
            try g.convert(x, to: .f16)
        },
        WrongLayer("mid.0/Clamp: expected finite bounds, found 0.0...inf") { (g, x) throws(GraphError) in
            try g.clamp(x, to: 0...Float.infinity)
        },
        WrongLayer(
            "mid.0/Convolution: weight [2, 3, 1, 1] in 1 group(s) takes 3 channels, the input [1, 4, 8, 8] has 4"
        ) {
            (g, x) throws(GraphError) in
            try g.convolution(x, weight: g.constant(Array(repeating: 0, count: 6), shape: [2, 3, 1, 1]))
        },
        WrongLayer("mid.0/Convolution: a window of 9 cells does not fit into 8 cells and 0 of padding") {
            (g, x) throws(GraphError) in
            try g.convolution(x, weight: g.constant(Array(repeating: 0, count: 4 * 81), shape: [1, 4, 9, 9]))
        },
        WrongLayer("mid.0/Convolution: expected a bias [1], found [2]") { (g, x) throws(GraphError) in
            try g.convolution(
                x,
                weight: g.constant([1, 1, 1, 1], shape: [1, 4, 1, 1]),
                bias: g.constant([1, 2], shape: [2])
            )
        },
        WrongLayer("mid.0/GroupNormalization: 4 channels do not divide into 3 groups") { (g, x) throws(GraphError) in
            let four = try g.constant([1, 1, 1, 1], shape: [4])
            return try g.groupNormalization(x, scale: four, shift: four, groups: 3)
        },
        WrongLayer("mid.0/GroupNormalization: expected a scale [4], found [1]") { (g, x) throws(GraphError) in
            let one = try g.constant([1], shape: [1])
            return try g.groupNormalization(x, scale: one, shift: one, groups: 2)
        },
        WrongLayer("mid.0/MVN: axis 4 does not exist in a value of rank 4") { (g, x) throws(GraphError) in
            try g.meanVarianceNormalization(x, axes: [4])
        },
        WrongLayer("mid.0/ReduceMean: expected one or more different axes, found [1, -3]") {
            (g, x) throws(GraphError) in
            try g.reduceMean(x, axes: [1, -3])
        },
        WrongLayer("mid.0/MatMul: [1, 4, 8, 8] and [4, 3] transposed do not fit together") {
            (g, x) throws(GraphError) in
            try g.linear(x, weight: g.constant(Array(repeating: 0, count: 12), shape: [4, 3]))
        },
        WrongLayer("mid.0/Softmax: axis -5 does not exist in a value of rank 4") { (g, x) throws(GraphError) in
            try g.softmax(x, axis: -5)
        },
        WrongLayer(
            "mid.0/ScaledDotProductAttention: expected query […, L, E], key […, S, E] and value […, S, V], found "
                + "[1, 4, 8, 8], [1, 4, 64] and [1, 4, 8, 8]"
        ) { (g, x) throws(GraphError) in
            try g.scaledDotProductAttention(query: x, key: g.reshape(x, to: [1, 4, 64]), value: x)
        },
        WrongLayer("mid.0/ScaledDotProductAttention: expected a mask that fits [1, 4, 8, 8], found [3]") {
            (g, x) throws(GraphError) in
            try g.scaledDotProductAttention(query: x, key: x, value: x, mask: g.constant([0, 0, 0], shape: [3]))
        },
        WrongLayer("mid.0/Reshape: [1, 4, 8, 8] has 256 elements, [3, 3] would have 9") { (g, x) throws(GraphError) in
            try g.reshape(x, to: [3, 3])
        },
        WrongLayer("mid.0/Reshape: 256 elements cannot take the shape [7, -1]") { (g, x) throws(GraphError) in
            try g.reshape(x, to: [7, -1])
        },
        WrongLayer("mid.0/Reshape: the output shape [9223372036854775807, 2] is not possible") {
            (g, x) throws(GraphError) in
            try g.reshape(x, to: [.max, 2])
        },
        WrongLayer("mid.0/Squeeze: axis 1 of [1, 4, 8, 8] has extent 4, expected 1") { (g, x) throws(GraphError) in
            try g.squeeze(x, axis: 1)
        },
        WrongLayer("mid.0/Transpose: expected each of 4 axes once, found [0, 1, 1, 3]") { (g, x) throws(GraphError) in
            try g.transpose(x, order: [0, 1, 1, 3])
        },
        WrongLayer("mid.0/Concat: [4, 64] does not fit [1, 4, 8, 8] in every axis but axis 1") {
            (g, x) throws(GraphError) in
            try g.concat([x, g.reshape(x, to: [4, 64])], axis: 1)
        },
        WrongLayer("mid.0/Slice: range 4..<9 with step 1 is not within the 8 indices of axis 3") {
            (g, x) throws(GraphError) in
            try g.slice(x, axis: -1, range: 4..<9)
        },
        WrongLayer("mid.0/VariadicSplit: expected positive lengths with the sum 4, found [2, 3]") {
            (g, x) throws(GraphError) in
            try g.variadicSplit(x, axis: 1, lengths: [2, 3])[0]
        },
        WrongLayer("mid.0/Gather: expected indices of i32 or i64, found f32") { (g, x) throws(GraphError) in
            try g.gather(x, indices: x)
        },
        WrongLayer("mid.0/Tile: expected 4 positive counts, found [1, 0, 1, 1]") { (g, x) throws(GraphError) in
            try g.tile(x, repeats: [1, 0, 1, 1])
        },
        WrongLayer("mid.0/Broadcast: [1, 4, 8, 8] cannot be repeated to [1, 4, 8, 9]") { (g, x) throws(GraphError) in
            try g.broadcast(x, to: [1, 4, 8, 9])
        },
        WrongLayer("mid.0/Interpolate: expected a positive size, found 0 × 8") { (g, x) throws(GraphError) in
            try g.interpolate(x, height: 0, width: 8, method: .nearest)
        },
        WrongLayer("mid.0/DepthToSpace: 4 channels do not divide into blocks of 3 × 3") { (g, x) throws(GraphError) in
            try g.depthToSpace(x, blockSize: 3)
        },
        WrongLayer("mid.0/SpaceToDepth: 8 × 8 cells do not divide into blocks of 3 × 3") { (g, x) throws(GraphError) in
            try g.spaceToDepth(x, blockSize: 3)
        },
        WrongLayer(
            "mid.0/Pad: Padding(top: 8, left: 8, bottom: 8, right: 8) cannot be mirrored out of 8 × 8 cells"
        ) { (g, x) throws(GraphError) in
            try g.pad(x, 8, mode: .reflect)
        },
        WrongLayer("mid.0.proj.weight: no such weight (the graph has no files)") { (g, x) throws(GraphError) in
            try g.convolution(x, named: "proj", outputChannels: 2, kernel: 1)
        },
    ]

    @Test("A wrong layer is named with what it expected and found", arguments: wrongLayers)
    func wrongLayersAreNamed(wrong: WrongLayer) throws {
        let g = GraphBuilder(name: "unet", weights: try WeightStore())
        let x = try g.parameter("x", shape: [1, 4, 8, 8])
        let error = #expect(throws: GraphError.self) {
            try g.scope("mid") { () throws(GraphError) in
                try g.scope("0") { () throws(GraphError) in try wrong.build(g, x) }
            }
        }
        #expect(error?.description == "unet.\(wrong.error)")
    }

    @Test("The scope ends with an error inside it")
    func scopeEndsWithAnError() throws {
        let g = GraphBuilder(name: "g", weights: try WeightStore())
        let x = try g.parameter("x", shape: [2])
        #expect(throws: GraphError.self) {
            try g.scope("a") { () throws(GraphError) in try g.softmax(x, axis: 7) }
        }
        let error = #expect(throws: GraphError.self) { try g.exp(g.convert(x, to: .i64)) }
        #expect(error?.subject == "g.Exp")
    }

    @Test("Inputs and outputs need different names, and a result is computed")
    func portsAreChecked() throws {
        let g = GraphBuilder(name: "g", weights: try WeightStore())
        let x = try g.parameter("x", shape: [2])
        func text(_ body: () throws(GraphError) -> Void) -> String? {
            do throws(GraphError) { try body() } catch { return error.description }
            return nil
        }
        #expect(text { () throws(GraphError) in _ = try g.build() } == "g: the graph has no result")
        #expect(
            text { () throws(GraphError) in _ = try g.parameter("x", shape: []) }
                == "g.x: two parameters or results have this name"
        )
        #expect(
            text { () throws(GraphError) in _ = try g.parameter("z", shape: [2, 0]) }
                == "g.z: expected positive extents, found [2, 0]"
        )
        #expect(
            text { () throws(GraphError) in _ = try g.parameter("", shape: []) }
                == "g: a parameter or result has an empty name"
        )
        #expect(
            text { () throws(GraphError) in try g.result("y", x) }
                == "g.y: a result must be computed, but this is the parameter \"x\""
        )
        let sum = try g.add(x, x)
        try g.result("y", sum)
        #expect(
            text { () throws(GraphError) in try g.result("z", sum) } == "g.z: the value is the result \"y\" already"
        )
        #expect(
            text { () throws(GraphError) in try g.result("x", g.exp(x)) }
                == "g.x: two parameters or results have this name"
        )
        let graph = try g.build()
        #expect(graph.inputs.map(\.name) == ["x"])
        #expect(graph.outputs.map(\.name) == ["y"])
    }
}
