/// A model's file that cannot be used as it stands.
public struct ModelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String

    /// One sentence: the field, what was found and what was expected.
    public let message: String

    package init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    /// The file and the sentence.
    public var description: String { "\(path): \(message)" }
}
