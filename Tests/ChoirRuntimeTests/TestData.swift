import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

/// A small seeded generator, so that random cases are the same in every run (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Tensor {
    /// Evenly distributed numbers that depend on the seed only.
    static func random(_ shape: Shape, seed: UInt64, in range: ClosedRange<Float> = -1...1) -> Tensor {
        var generator = SplitMix64(state: seed)
        return Tensor(
            shape: shape,
            elements: (0..<shape.elementCount).map { _ in Float.random(in: range, using: &generator) }
        )
    }

    /// The largest distance of two elements; infinite when the shapes differ or an element is not a number.
    func distance(to other: Tensor) -> Float {
        guard shape == other.shape else { return .infinity }
        var largest: Float = 0
        for (a, b) in zip(elements, other.elements) {
            guard a.isFinite, b.isFinite else { return .infinity }
            largest = max(largest, abs(a - b))
        }
        return largest
    }

    /// Makes a tensor by computing every element from its index.
    init(shape: Shape, _ element: ([Int]) -> Double) {
        self.init(shape: shape, elements: shape.indices.map { Float(element($0)) })
    }

    /// One element by its index.
    func at(_ index: [Int]) -> Double {
        var offset = 0
        for (position, extent) in zip(index, shape.dimensions) { offset = offset * extent + position }
        return Double(elements[offset])
    }
}

extension Shape {
    /// All indices in row-major order.
    var indices: [[Int]] {
        dimensions.reduce([[]]) { prefixes, extent in prefixes.flatMap { prefix in (0..<extent).map { prefix + [$0] } }
        }
    }
}

/// The engine, started once for all tests.
func sharedRuntime() throws -> OpenVINORuntime {
    try runtime.get()
}

private let runtime = Result { try OpenVINORuntime() }

extension CompileOptions {
    /// f32 and no cache, so that numbers can be compared.
    static let exact = CompileOptions(precision: .f32, cacheDirectory: nil)
}

extension GraphBuilder {
    /// A tensor as an inline constant.
    func constant(_ tensor: Tensor) throws(GraphError) -> Value {
        try constant(tensor.elements, shape: tensor.shape)
    }
}

/// Builds a graph with inputs `x0`, `x1`, … and outputs `y0`, `y1`, …, runs it in f32 and returns the outputs.
func run(
    _ inputs: [Tensor],
    options: CompileOptions = .exact,
    _ body: (GraphBuilder, [Value]) throws(GraphError) -> [Value]
) async throws -> [Tensor] {
    let builder = GraphBuilder(name: "test", weights: try WeightStore())
    var values: [Value] = []
    for (index, input) in inputs.enumerated() {
        values.append(try builder.parameter("x\(index)", shape: input.shape))
    }
    let results = try body(builder, values)
    for (index, result) in results.enumerated() { try builder.result("y\(index)", result) }
    let request = try await sharedRuntime().compile(builder.build(), options: options).makeRequest()
    for (index, input) in inputs.enumerated() { try request.setInput("x\(index)", input) }
    try await request.run()
    return try results.indices.map { try request.output("y\($0)") }
}

/// A new directory that disappears with this object.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "choir-runtime-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Writes a safetensors file by hand: element types as the file spells them, no alignment of the data.
func writeCheckpoint(
    _ tensors: [(name: String, dataType: String, shape: [Int], bytes: [UInt8])],
    to path: String
) throws -> SafetensorsFile {
    var members: [String] = []
    var offset = 0
    for tensor in tensors {
        members.append(
            #""\#(tensor.name)":{"dtype":"\#(tensor.dataType)","shape":\#(tensor.shape),"#
                + #""data_offsets":[\#(offset),\#(offset + tensor.bytes.count)]}"#
        )
        offset += tensor.bytes.count
    }
    let header = Array("{\(members.joined(separator: ","))}".utf8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { [UInt8]($0) }
    try Data(length + header + tensors.flatMap(\.bytes)).write(to: URL(fileURLWithPath: path))
    return try SafetensorsFile(path: path)
}

extension Tensor {
    var float32Bytes: [UInt8] { elements.withUnsafeBytes { [UInt8]($0) } }
    var float16Bytes: [UInt8] { elements.map { Float16($0) }.withUnsafeBytes { [UInt8]($0) } }
    var bfloat16Bytes: [UInt8] { elements.map { UInt16($0.bitPattern >> 16) }.withUnsafeBytes { [UInt8]($0) } }

    /// The numbers in a data type of safetensors: F32, F16 or BF16.
    func bytes(as dataType: String) -> [UInt8] {
        switch dataType {
        case "F16": float16Bytes
        case "BF16": bfloat16Bytes
        default: float32Bytes
        }
    }

    /// The numbers after a trip through bf16 by cutting the lower half off, as ``bfloat16Bytes`` does.
    var throughBFloat16: Tensor {
        Tensor(shape: shape, elements: elements.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) })
    }

    /// The numbers after a trip through f16.
    var throughFloat16: Tensor { Tensor(shape: shape, elements: elements.map { Float(Float16($0)) }) }
}

/// Compiles a graph with the results `direct` and `replaced`, half of the same computed in another way, and compares.
///
/// - Parameters:
///   - graph: A graph with one input, `x`.
///   - x: The input.
///   - bound: The largest allowed distance, by the largest element.
func expectReplacedEqualsDirect(
    _ graph: Graph, _ x: Tensor, within bound: Float, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let request = try await sharedRuntime().compile(graph, options: .exact).makeRequest()
    try request.setInput("x", x)
    try await request.run()
    let direct = try request.output("direct")
    let replaced = try request.output("replaced")
    let doubled = Tensor(shape: replaced.shape, elements: replaced.elements.map { 2 * $0 })
    let largest = direct.elements.map(abs).max() ?? 0
    let distance = doubled.distance(to: direct)
    #expect(largest > 10, sourceLocation: sourceLocation)
    #expect(distance <= bound * largest, "largest distance \(distance) of \(largest)", sourceLocation: sourceLocation)
    // Rounding differs, so that what was compared is not the same twice.
    #expect(distance > 0, sourceLocation: sourceLocation)
}

/// Checks that the body throws an `OpenVINOError` whose description is the given text.
func expectError(
    _ text: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> some Any
) {
    let error = #expect(throws: OpenVINOError.self, sourceLocation: sourceLocation) { _ = try body() }
    #expect(error?.description == text, sourceLocation: sourceLocation)
}

extension CompileOptions.Precision {
    /// The precisions that this processor offers.
    static var allOffered: [Self] {
        [.f32] + ((try? sharedRuntime().resolvedPrecision(.bf16, device: "CPU")).map { [$0] } ?? [])
    }
}
