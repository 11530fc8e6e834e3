/// A map, or its legend, that cannot be used as it stands.
public struct MapError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let path: String

    /// One sentence: what was found and what was expected.
    public let message: String

    /// The path and the sentence.
    public var description: String { "\(path): \(message)" }

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }
}
