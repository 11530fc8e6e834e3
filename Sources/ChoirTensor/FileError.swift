import Glibc

/// A file operation that the system refused.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, such as "open" or "write".
    public let operation: String

    /// The path as given by the caller.
    public let path: String

    /// The system's error number, such as `ENOSPC`; 0 when the file itself was refused.
    public let code: Int32

    /// Why, in words.
    public let reason: String

    /// An error with a reason of our own.
    package init(_ operation: String, _ path: String, reason: String) {
        self.operation = operation
        self.path = path
        self.code = 0
        self.reason = reason
    }

    /// An error with the system's text for an error number.
    init(_ operation: String, _ path: String, errorNumber: Int32) {
        self.operation = operation
        self.path = path
        self.code = errorNumber
        self.reason = String(cString: strerror(errorNumber))
    }

    /// One sentence: `cannot open /models/unet.safetensors: No such file or directory`.
    public var description: String { "cannot \(operation) \(path): \(reason)" }
}
