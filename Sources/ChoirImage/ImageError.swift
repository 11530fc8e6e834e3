/// What went wrong with an image file, as one sentence.
public struct ImageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure, for callers that react to it.
    public struct Code: Hashable, Sendable {
        private enum Kind: Hashable, Sendable {
            case unsupportedFormat, invalidSize, invalidOption, invalidPixels, invalidMetadata, invalidBorder
            case fileSystem, diskFull, damaged, library
        }

        private let kind: Kind

        /// The file name's ending, or the file's content, is not a supported image format.
        public static let unsupportedFormat = Code(kind: .unsupportedFormat)
        /// The width, height, channels or bit depth is not possible, or more than the limit.
        public static let invalidSize = Code(kind: .invalidSize)
        /// A quality or compression setting is out of range.
        public static let invalidOption = Code(kind: .invalidOption)
        /// A strip is not a whole number of rows, has too many, or came after the end.
        public static let invalidPixels = Code(kind: .invalidPixels)
        /// The metadata cannot be stored in this format, or the stored metadata is malformed.
        public static let invalidMetadata = Code(kind: .invalidMetadata)
        /// A tile border lies outside the image, or there is none.
        public static let invalidBorder = Code(kind: .invalidBorder)
        /// A file or directory could not be opened, created, renamed or flushed.
        public static let fileSystem = Code(kind: .fileSystem)
        /// No space is left where the file, or libvips's temporary part of it, is written.
        public static let diskFull = Code(kind: .diskFull)
        /// The file is truncated or its content is corrupt.
        public static let damaged = Code(kind: .damaged)
        /// libvips reported a failure of another kind.
        public static let library = Code(kind: .library)
    }

    /// The kind of failure.
    public let code: Code
    /// The file (or the thing) that it is about.
    public let subject: String
    /// What was found and what was expected, without the subject and without a full stop.
    public let message: String

    /// The subject and the message on one line.
    public var description: String { "\(subject): \(message)" }

    init(_ code: Code, _ subject: String, _ message: String) {
        self.code = code
        self.subject = subject
        self.message = message
    }
}
