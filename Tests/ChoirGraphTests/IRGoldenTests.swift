import ChoirGraph
import ChoirTensor
import Foundation
import Testing

/// The text of toy graphs, compared with files. After a wanted change record them again: `RECORD=1 swift test
/// --filter IRGoldenTests`, and read the difference before committing it.
@Suite struct IRGoldenTests {
    @Test("Toy graphs give the recorded text", arguments: ToyGraph.allCases)
    func textIsAsRecorded(toy: ToyGraph) throws {
        let directory = try TemporaryDirectory()
        let text = IRWriter().text(of: try toy.build(in: directory))
        let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "Goldens/\(toy.rawValue).xml")
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try text.write(to: golden, atomically: true, encoding: .utf8)
        }
        let recorded = try String(contentsOf: golden, encoding: .utf8)
        #expect(text == recorded, "\(differences(from: recorded, to: text))\nRecord again with RECORD=1.")
    }

    @Test("The same graph gives the same text every time")
    func textIsDeterministic() throws {
        for toy in ToyGraph.allCases {
            let texts = try (0..<3).map { _ in IRWriter().text(of: try toy.build(in: TemporaryDirectory())) }
            #expect(Set(texts).count == 1)
        }
    }

    /// The lines that are only in one of two texts.
    private func differences(from old: String, to new: String) -> String {
        let (old, new) = (old.components(separatedBy: "\n"), new.components(separatedBy: "\n"))
        return new.difference(from: old).map { change in
            switch change {
            case .remove(let line, let text, _): "- \(line + 1): \(text)"
            case .insert(let line, let text, _): "+ \(line + 1): \(text)"
            }
        }.joined(separator: "\n")
    }
}

/// Small graphs that show each part of the text once.
enum ToyGraph: String, CaseIterable, Sendable {
    case sum
    case escapedNames = "escaped-names"
    case residualBlock = "residual-block"
    case attention
    case reshaping

    func build(in directory: TemporaryDirectory) throws -> Graph {
        switch self {
        case .sum:
            let g = GraphBuilder(name: "sum", weights: try WeightStore())
            let x = try g.parameter("x", shape: [1, 2])
            try g.result("y", g.add(x, g.constant([0.5, -1], shape: [2])))
            return try g.build()
        case .escapedNames:
            let g = GraphBuilder(name: "<a> & \"b\"", weights: try WeightStore())
            let x = try g.parameter("x,1", shape: [1])
            try g.result("y<\n>", g.scope("it's") { () throws(GraphError) in try g.sqrt(x) })
            return try g.build()
        case .residualBlock:
            let g = GraphBuilder(name: "block", weights: try WeightStore(files: [try checkpoint(directory)]))
            let x = try g.parameter("x", shape: [1, 4, 8, 8])
            let y = try g.scope("down.0") { () throws(GraphError) in
                let h = try g.silu(g.groupNormalization(x, named: "norm", groups: 2))
                return try g.add(x, g.convolution(h, named: "conv", outputChannels: 4, kernel: 3, padding: 1))
            }
            try g.result("y", y)
            return try g.build()
        case .attention:
            let g = GraphBuilder(name: "attention", weights: try WeightStore())
            let x = try g.parameter("x", shape: [1, 2, 4, 8])
            let parts = try g.variadicSplit(x, axis: -1, lengths: [4, 4])
            try g.result(
                "y",
                g.scaledDotProductAttention(query: parts[0], key: parts[1], value: parts[1], scale: 0.25)
            )
            return try g.build()
        case .reshaping:
            let g = GraphBuilder(name: "reshaping", weights: try WeightStore())
            let x = try g.parameter("x", shape: [1, 4, 4, 4])
            let ids = try g.parameter("ids", shape: [2], elementType: .i64)
            let rows = try g.transpose(g.reshape(x, to: [4, 16]), order: [1, 0])
            try g.result("rows", g.gather(rows, indices: ids))
            try g.result("half", g.interpolate(x, height: 2, width: 2, method: .linear))
            try g.result("blocks", g.spaceToDepth(x, blockSize: 2))
            return try g.build()
        }
    }

    /// One weight of each stored type.
    private func checkpoint(_ directory: TemporaryDirectory) throws -> SafetensorsFile {
        let path = "\(directory.path)/model.safetensors"
        try SafetensorsWriter.write(
            tensors: [
                "down.0.norm.weight": .float32(Tensor(shape: [4], repeating: 1)),
                "down.0.norm.bias": .float32(Tensor(shape: [4])),
                "down.0.conv.weight": .float16(Tensor(shape: [4, 4, 3, 3], repeating: 0.5)),
                "down.0.conv.bias": .float16(Tensor(shape: [4])),
            ],
            to: path
        )
        return try SafetensorsFile(path: path)
    }
}
