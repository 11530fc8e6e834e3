import Glibc

/// A regular file mapped read-only into memory; unmapped when the last reference goes.
///
/// Pages are read when first touched and shared with other processes. As with every mapping, a file that another
/// process truncates meanwhile ends this process when a vanished page is touched; files replaced by renaming are safe.
/// The corresponding C functions are `mmap` and `munmap`.
public final class MappedFile: Sendable {
    /// The path as given by the caller.
    public let path: String

    /// The contents, valid as long as this object lives. Empty, with no base address, for an empty file.
    ///
    /// Prefer ``withBytes(_:)``; this is for C libraries that keep the address and whose owner also keeps this object.
    /// Sharing the pointer between threads is safe: the pages are read-only and the property is constant.
    public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// Maps the whole file at `path`.
    ///
    /// Throws `FileError` when the file cannot be opened or mapped or is not a regular file.
    public init(path: String) throws(FileError) {
        guard !path.utf8.contains(0) else { throw FileError("open", path, reason: "the path contains a NUL byte") }
        // Without O_NONBLOCK opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError("open", path, errorNumber: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("examine", path, errorNumber: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError("map", path, reason: "it is not a regular file")
        }
        self.path = path
        guard status.st_size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw FileError("map", path, errorNumber: errno) }
        bytes = UnsafeRawBufferPointer(start: address, count: Int(status.st_size))
    }

    deinit {
        if let address = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }

    /// Provides scoped access to the contents.
    public func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes.bytes)
    }
}
