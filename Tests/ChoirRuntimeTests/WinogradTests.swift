import ChoirRuntime
import ChoirTensor
import Synchronization
import Testing

@testable import ChoirGraph

/// Large convolutions are computed by Winograd's algorithm in f32. A convolution that is itself a result is computed as
/// it is, which gives these tests something to compare with.
@Suite struct WinogradTests {
    /// Large enough to be replaced.
    private static let channels = 256

    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func store(_ dataType: String, outputs: Int, inputs: Int) throws -> WeightStore {
        let weight = Tensor.random([outputs, inputs, 3, 3], seed: 71)
        let file = try writeCheckpoint(
            [("conv.weight", dataType, [outputs, inputs, 3, 3], weight.bytes(as: dataType))],
            to: "\(directory.path)/conv.safetensors")
        return try WeightStore(files: [file])
    }

    /// A graph with the results `direct`, a convolution, and `replaced`, half of the same one.
    private func graph(_ weights: WeightStore, _ shape: Shape, outputs: Int, padding: Padding) throws -> Graph {
        let g = GraphBuilder(name: "winograd", weights: weights)
        let x = try g.parameter("x", shape: shape)
        let weight = try g.weight("conv.weight", shape: [outputs, shape[1], 3, 3])
        try g.result("direct", g.convolution(x, weight: weight, padding: padding))
        try g.result("replaced", g.multiply(g.convolution(x, weight: weight, padding: padding), 0.5))
        return try g.build()
    }

    @Test(
        "It equals the convolution for every type of weight, any number of rows and any padding",
        arguments: [
            ("F32", 32, Padding(1), 1), ("F16", 33, Padding(1), 1), ("BF16", 34, Padding(1), 2),
            ("F16", 35, Padding(1), 3), ("F32", 36, Padding(0), 3),
            ("F16", 32, Padding(top: 2, left: 0, bottom: 0, right: 1), 1),
            ("F16", 33, Padding(top: 2, left: 0, bottom: 0, right: 1), 3),
        ])
    func equalsTheConvolution(dataType: String, rows: Int, padding: Padding, bands: Int) async throws {
        let shape: Shape = [2, Self.channels, rows, 37]
        let outputs = Self.channels + 8
        let weights = try store(dataType, outputs: outputs, inputs: Self.channels)
        let graph = try graph(weights, shape, outputs: outputs, padding: padding)
        let largest = shape[0] * shape[3] * outputs * ((rows + bands - 1) / bands)
        let replaced = try graph.withWinogradConvolutions(largestBand: largest)
        #expect(IRWriter().text(of: replaced).split(separator: "type=\"Convolution\"").count - 1 == 1 + 6 * bands)

        try await expectReplacedEqualsDirect(replaced, .random(shape, seed: 72), within: 2e-5)
    }

    @Test("Small and other convolutions stay as they are")
    func smallOnesStay() throws {
        let weights = try store("F32", outputs: Self.channels, inputs: Self.channels)
        func layerCounts(
            _ shape: Shape, stride: Int = 1, dilation: Int = 1, groups: Int = 1
        ) throws -> (before: Int, after: Int) {
            let g = GraphBuilder(name: "others", weights: weights)
            let weight = try g.weight("conv.weight", shape: [Self.channels, Self.channels, 3, 3])
            let x = try g.parameter("x", shape: shape)
            let y = try g.convolution(
                x, weight: weight, stride: stride, padding: 1, dilation: dilation, groups: groups)
            try g.result("y", g.multiply(y, 2))
            let graph = try g.build()
            return (graph.layerCount, try graph.withWinogradConvolutions().layerCount)
        }
        let channels = Self.channels
        for (before, after) in [
            try layerCounts([1, channels, 15, 17]), try layerCounts([1, channels, 32, 32], stride: 2),
            try layerCounts([1, channels, 32, 32], dilation: 2), try layerCounts([1, 2 * channels, 32, 32], groups: 2),
        ] {
            #expect(before == after)
        }
        let (before, after) = try layerCounts([1, channels, 16, 16])
        #expect(before < after)
    }

    @Test("Its weights are computed once for all graphs of a store")
    func weightsAreComputedOnce() async throws {
        let weights = try store("F16", outputs: Self.channels, inputs: Self.channels)
        let shape: Shape = [1, Self.channels, 32, 32]
        let graph = try graph(weights, shape, outputs: Self.channels, padding: 1)
        #expect(graph.winogradByteCount == 9 * 4 * Self.channels * Self.channels)
        let first = try graph.withWinogradConvolutions()
        let byteCount = weights.bytes.count
        let second = try graph.withWinogradConvolutions()
        #expect(weights.bytes.count == byteCount)
        #expect(IRWriter().text(of: first) == IRWriter().text(of: second))

        // Giving their pages back loses nothing: the second model reads them again.
        let x = Tensor.random(shape, seed: 73)
        var outputs: [Tensor] = []
        for _ in 0..<2 {
            let request = try await sharedRuntime().compile(graph, options: .exact).makeRequest()
            try request.setInput("x", x)
            try await request.run()
            outputs.append(try request.output("replaced"))
        }
        #expect(outputs[0] == outputs[1])
    }

    @Test("Its weights are computed to compile a graph, and not for one that comes out of the cache")
    func cachedGraphComputesNoWeights() async throws {
        let shape: Shape = [1, Self.channels, 16, 16]
        _ = try store("F16", outputs: Self.channels, inputs: Self.channels)
        let file = try SafetensorsFile(path: "\(directory.path)/conv.safetensors")
        let options = CompileOptions(precision: .f32, cacheDirectory: "\(directory.path)/cache")
        var outputs: [Tensor] = []
        for isCached in [false, true] {
            let weights = try WeightStore(files: [file])
            let graph = try graph(weights, shape, outputs: Self.channels, padding: Padding(1))
            let model = try await sharedRuntime().compile(graph, options: options)
            #expect(model.isFromCache == isCached)
            #expect(weights.derived.withLock { $0.offsets.count } == 1)
            #expect(weights.derived.withLock { $0.pending.count } == (isCached ? 1 : 0))
            let request = try model.makeRequest()
            try request.setInput("x", .random(shape, seed: 74))
            try await request.run()
            outputs.append(try request.output("replaced"))
        }
        #expect(outputs[0] == outputs[1])
    }
}
