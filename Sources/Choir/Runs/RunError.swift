/// A run directory that cannot be used as it stands.
public struct RunError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The directory or the file in it.
    public let path: String

    /// One sentence: what is wrong, and what was expected.
    public let message: String

    package init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    /// The path and the sentence.
    public var description: String { "\(path): \(message)" }
}
