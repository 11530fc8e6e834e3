/// A request that cannot be painted as it stands.
public struct RequestError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The property of the request.
    public let field: String

    /// One sentence: what was found and what was expected.
    public let message: String

    /// An error about one property.
    public init(_ field: String, found: String, expected: String) {
        self.field = field
        message = "found \(found), expected \(expected)"
    }

    /// The field and the sentence.
    public var description: String { "\(field): \(message)" }
}
