/// What an autoencoder cannot encode or decode.
public struct AutoencoderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence: what was found and what was expected.
    public let description: String

    init(_ description: String) { self.description = description }
}
