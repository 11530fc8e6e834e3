/// What went wrong while a graph was built, and in which layer.
///
/// The builder checks shapes and element types itself, because the engine's own message about a wrong port does not
/// name the layer.
public struct GraphError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of mistake.
    public enum Code: Hashable, Sendable {
        /// Shapes that do not fit together.
        case shape
        /// An element type that the layer does not take.
        case elementType
        /// An argument outside its range, such as an axis or a group count.
        case argument
        /// A name that is used twice or empty.
        case name
        /// A weight that no file has.
        case missingWeight
        /// A weight whose shape or element type is not the expected one.
        case weightMismatch
        /// The weights could not be mapped into memory.
        case storage
    }

    /// The kind of mistake.
    public let code: Code

    /// The full name of the layer, weight or file, such as `unet.down_blocks.0.conv.weight`.
    public let subject: String

    /// What was expected and what was found.
    public let message: String

    /// The subject and the message.
    public var description: String { "\(subject): \(message)" }

    /// Makes an error.
    package init(_ code: Code, _ subject: String, _ message: String) {
        self.code = code
        self.subject = subject
        self.message = message
    }
}
