import ChoirGraph
import ChoirTensor
import Foundation
import Testing

@Suite struct WeightStoreTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func file(
        _ name: String,
        _ tensors: [String: SafetensorsWriter.Content]
    ) throws -> SafetensorsFile {
        let path = "\(directory.path)/\(name)"
        try SafetensorsWriter.write(tensors: tensors, to: path)
        return try SafetensorsFile(path: path)
    }

    /// The offsets of all constants in the text of a graph, with the floats that lie there.
    private func constants(of graph: Graph) throws -> [(offset: Int, bytes: [UInt8])] {
        let pattern = /offset="(\d+)" size="(\d+)"/
        return try IRWriter().text(of: graph).matches(of: pattern).map { match in
            let (offset, size) = (try #require(Int(match.1)), try #require(Int(match.2)))
            return (offset, [UInt8](graph.weights.bytes[offset..<(offset + size)]))
        }
    }

    @Test("Weights of several files and inline constants lie in one range, each with its own bytes")
    func filesAndConstantsAreOneRange() throws {
        // Larger than a page, so that a wrong offset of the second file would show.
        let a = Tensor(shape: [3000], elements: (0..<3000).map(Float.init))
        let b = Tensor(shape: [2], elements: [-1, -2])
        let files = [try file("a", ["a": .float32(a)]), try file("b", ["b": .float32(b)])]
        let g = GraphBuilder(name: "g", weights: try WeightStore(files: files))
        let x = try g.parameter("x", shape: [1])
        try g.result("a", g.add(x, g.weight("a", shape: [3000])))
        try g.result("b", g.add(x, g.weight("b", shape: [2])))
        try g.result("c", g.add(x, g.constant([7, 8, 9], shape: [3])))
        let found = try constants(of: g.build())
        let expected = [a.elements, b.elements, [7, 8, 9]].map { $0.withUnsafeBytes { [UInt8]($0) } }
        #expect(found.map(\.bytes) == expected)
        #expect(found[2].offset % 64 == 0)
        #expect(g.weights.names == ["a", "b"])
        #expect(g.weights.shape(of: "b") == [2])
        #expect(g.weights.shape(of: "c") == nil)
    }

    @Test("Equal inline constants are stored once and are one layer")
    func equalConstantsAreShared() throws {
        let g = GraphBuilder(name: "g", weights: try WeightStore())
        let x = try g.parameter("x", shape: [2])
        var y = x
        for _ in 0..<10 { y = try g.multiply(g.add(y, 0.5), g.constant([3, 4], shape: [2])) }
        try g.result("y", y)
        let found = try constants(of: g.build())
        #expect(found.count == 2)
        #expect(Set(found.map(\.offset)).count == 2)
    }

    @Test("A reshaped weight is the same bytes under another shape")
    func reshapedWeightIsNotCopied() throws {
        let file = try file("a", ["w": .float16(Tensor(shape: [4, 2, 1, 1], repeating: 2))])
        let g = GraphBuilder(name: "g", weights: try WeightStore(files: [file]))
        let weight = try g.reshape(g.weight("w", shape: [4, 2, 1, 1]), to: [4, 2])
        try g.result("y", g.linear(g.parameter("x", shape: [1, 2]), weight: weight))
        let graph = try g.build()
        #expect(!IRWriter().text(of: graph).contains("type=\"Reshape\""))
        #expect(try Set(constants(of: graph).map(\.offset)).count == 1)
    }

    @Test("A weight of another shape or type, or none, is refused with its file")
    func wrongWeightsAreRefused() throws {
        let file = try file(
            "unet.safetensors",
            [
                "down_blocks.0.conv.weight": .float32(Tensor(shape: [2, 9, 3, 3])),
                "down_blocks.0.conv.count": .int64([1], [3]),
            ]
        )
        let g = GraphBuilder(name: "unet", weights: try WeightStore(files: [file]))
        func text(_ name: String, _ shape: Shape) -> String? {
            do throws(GraphError) {
                _ = try g.scope("down_blocks.0.conv") { () throws(GraphError) in try g.weight(name, shape: shape) }
            } catch {
                return error.description
            }
            return nil
        }
        #expect(
            text("weight", [2, 4, 3, 3])
                == "unet.down_blocks.0.conv.weight: expected [2, 4, 3, 3], file has [2, 9, 3, 3] (in \(file.path))"
        )
        #expect(
            text("count", [1])
                == "unet.down_blocks.0.conv.count: expected F32, F16 or BF16, file has I64 (in \(file.path))"
        )
        #expect(text("bias", [2]) == "unet.down_blocks.0.conv.bias: no such weight in \(file.path)")
        #expect(text("weight", [2, 9, 3, 3]) == nil)
        #expect(g.hasWeight("down_blocks.0.conv.weight"))
        #expect(!g.hasWeight("conv.weight"))
    }

    @Test("Two files with the same weight are refused")
    func duplicateWeightsAreRefused() throws {
        let tensor = Tensor(shape: [1])
        let files = [try file("a", ["w": .float32(tensor)]), try file("b", ["w": .float32(tensor)])]
        let error = #expect(throws: GraphError.self) { try WeightStore(files: files) }
        #expect(error?.description == "w: both \(files[0].path) and \(files[1].path) have this weight")
    }

    @Test("A file that was replaced by a shorter or different one, or removed, is refused", arguments: 0..<3)
    func replacedFilesAreRefused(change: Int) throws {
        let known = try file("a", ["w": .float32(Tensor(shape: [5000]))])
        let path = known.path
        let reason: String
        switch change {
        case 0:
            try SafetensorsWriter.write(tensors: ["w": .float32(Tensor(shape: [1]))], to: path)
            reason = "the file was replaced while it was being opened"
        case 1:
            try SafetensorsWriter.write(tensors: ["v": .float32(Tensor(shape: [5000]))], to: path)
            reason = "the file was replaced while it was being opened"
        default:
            try FileManager.default.removeItem(atPath: path)
            reason = "cannot open: No such file or directory"
        }
        let error = #expect(throws: GraphError.self) { try WeightStore(files: [known]) }
        #expect(error?.description == "\(path): \(reason)")
    }

    @Test("Inline constants that are too large for the store are refused")
    func tooLargeConstantIsRefused() throws {
        let count = WeightStore.inlineCapacity / 4 + 1
        let g = GraphBuilder(name: "g", weights: try WeightStore())
        let error = #expect(throws: GraphError.self) {
            try g.constant([Float](repeating: 0, count: count), shape: Shape([count]))
        }
        #expect(
            error?.description
                == "weights: inline constants take more than 67108864 bytes; large tables belong into a file"
        )
    }

    @Test("The identity changes with the file and with the constants")
    func identityFollowsTheContents() throws {
        let first = try WeightStore(files: [file("a", ["w": .float32(Tensor(shape: [4]))])])
        let same = try WeightStore(files: [SafetensorsFile(path: "\(directory.path)/a")])
        #expect(first.identity == same.identity)
        let replaced = try WeightStore(files: [file("a", ["w": .float32(Tensor(shape: [4], repeating: 1))])])
        #expect(first.identity != replaced.identity)
        _ = try GraphBuilder(name: "g", weights: same).constant(0.25)
        #expect(first.identity != same.identity)
    }
}

extension WeightStoreTests {
    /// A file with a fused, a transposed and a convolution's weight, and the names that a model asks for.
    private func renamed() throws -> GraphBuilder {
        let numbers = Tensor(shape: [6, 2], elements: (0..<12).map(Float.init))
        let file = try file(
            "other",
            [
                "fused": .float32(numbers),
                "projection": .float32(Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6])),
                "convolution": .float32(Tensor(shape: [2, 2, 1, 1], repeating: 1)),
            ])
        let naming = WeightNaming { name in
            switch name {
            case "q": [WeightSource("absent"), WeightSource("fused", part: .init(index: 0, of: 3))]
            case "v": [WeightSource("fused", part: .init(index: 2, of: 3))]
            case "bad": [WeightSource("fused", part: .init(index: 0, of: 4))]
            case "projection": [WeightSource("projection", isTransposed: true)]
            case "linear": [WeightSource("convolution")]
            case "gone": [WeightSource("a"), WeightSource("b")]
            default: []
            }
        }
        return GraphBuilder(name: "g", weights: try WeightStore(files: [file], naming: naming))
    }

    @Test("A naming finds parts of a tensor and other shapes of the same bytes")
    func namingFindsParts() throws {
        let g = try renamed()
        let x = try g.parameter("x", shape: [1])
        try g.result("q", g.add(x, g.weight("q", shape: [2, 2])))
        try g.result("v", g.add(x, g.weight("v", shape: [2, 2])))
        try g.result("linear", g.add(x, g.weight("linear", shape: [2, 2])))
        let turned = try g.weight("projection", shape: [3, 2])
        #expect(turned.shape == [3, 2])
        #expect(g.weights.shape(of: "projection") == [3, 2])
        #expect(g.weights.shape(of: "v") == [2, 2])
        try g.result("projection", g.add(x, turned))
        let found = try constants(of: g.build()).map(\.bytes)
        let floats = { (numbers: [Float]) in numbers.withUnsafeBytes { [UInt8]($0) } }
        #expect(Array(found[..<3]) == [floats([0, 1, 2, 3]), floats([8, 9, 10, 11]), floats([1, 1, 1, 1])])
        #expect(found[3] == floats([1, 2, 3, 4, 5, 6]))
    }

    @Test("An error about a renamed weight says what the file calls it")
    func errorsNameBoth() throws {
        let g = try renamed()
        let path = "\(directory.path)/other"
        let cases = [
            ("v", "g.v: expected [3, 2], file has [2, 2] (in \(path), as fused, part 3 of 3)"),
            ("gone", "g.gone: no such weight in \(path), as a or b"),
            ("bad", "g.bad: no such weight in \(path), as fused"),
            ("unknown", "g.unknown: files of this layout have no such weight (in \(path))"),
            ("projection", "g.projection: expected [3, 2, 1], file has [2, 3] transposed (in \(path))"),
        ]
        for (name, text) in cases {
            let error = #expect(throws: GraphError.self) {
                try g.weight(name, shape: name == "projection" ? [3, 2, 1] : [3, 2])
            }
            #expect(error?.description == text)
        }
    }
}
