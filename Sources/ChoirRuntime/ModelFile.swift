/// What a model in a file takes and gives: an ONNX file, or an OpenVINO IR.
///
/// A description, with no hold on the file: ``OpenVINORuntime/compile(_:options:)-(ModelFile,_)`` reads it again.
public struct ModelFile: Hashable, Sendable {
    /// An input or output.
    public struct Port: Hashable, Sendable {
        /// The name: the one that was sought, if the port has it; else the engine's, or its place where it has none.
        public let name: String

        /// The extents, nil where the file leaves one open; nil if it leaves even their number open.
        public let dimensions: [Int?]?

        /// The type of its elements.
        public let elementType: ElementKind

        /// The dimensions as text, such as `[1, 3, ?, ?]`.
        public var shapeDescription: String {
            guard let dimensions else { return "[...]" }
            return "[\(dimensions.map { $0.map(String.init) ?? "?" }.joined(separator: ", "))]"
        }
    }

    /// What the elements of a port are, as far as it matters: the engine converts f32 to it and back.
    public enum ElementKind: String, Hashable, Sendable {
        /// Floating-point numbers of any width.
        case numbers
        /// 32- or 64-bit integers.
        case integers
        /// Anything else.
        case others
    }

    /// The file: `.onnx`, or `.xml` with a `.bin` of the same name beside it.
    public let path: String

    /// What the model takes, in the file's order.
    public let inputs: [Port]

    /// What the model gives, in the file's order.
    public let outputs: [Port]
}
