import Glibc

/// Replaces files so that a reader, a crash or a full disk sees either the whole old file or the whole new one.
///
/// The bytes go to a temporary file in the same directory, are flushed to the disk (`fsync`) and take the final name
/// by `rename`; then the directory is flushed. On failure the temporary file is removed and the old file stays. Only a
/// killed process leaves a temporary file, named `.choir-….partial`.
public enum AtomicFile {
    /// Appends chunks to the temporary file; of use only inside the closure that receives it.
    public struct Sink {
        fileprivate let descriptor: Int32
        fileprivate let path: String

        /// Appends bytes; every call reaches the system, so small pieces are better gathered first.
        public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
            var rest = bytes[...]
            while !rest.isEmpty {
                let chunk = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw FileError("write", path, errorNumber: errno)
                }
                rest = rest.dropFirst(count)
            }
        }

        /// Appends bytes, such as an array, `Data` or the `utf8` of a string.
        public func write(_ bytes: some Collection<UInt8>) throws(FileError) {
            try [UInt8](bytes).withUnsafeBufferPointer { (buffer) throws(FileError) in
                try write(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    /// Replaces the file at `path` by the given bytes, such as an array, `Data` or the `utf8` of a string.
    ///
    /// Throws `FileError`; the old file, if any, is then as it was.
    public static func write(_ bytes: some Collection<UInt8>, to path: String) throws(FileError) {
        try write(to: path) { (sink) throws(FileError) in try sink.write(bytes) }
    }

    /// Replaces the file at `path` by what `body` appends to the sink.
    ///
    /// A symbolic link is followed; permissions of an old file are kept. Throws `FileError` when the system refuses,
    /// when `path` is something other than a regular file, or what `body` throws; the old file, if any, is then as it
    /// was.
    public static func write(
        to path: String,
        _ body: (Sink) throws(FileError) -> Void
    ) throws(FileError) {
        let target = try Target(path: path)
        let (temporary, descriptor) = try createTemporary(for: target, path: path)
        do throws(FileError) {
            try fill(descriptor, target: target, path: path, body)
            guard rename(temporary, target.path) == 0 else { throw FileError("replace", path, errorNumber: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        try flushDirectory(target.directory, path: path)
    }

    /// Refuses, before a long work, a path that no file can be written to after it; leaves nothing behind.
    public static func check(_ path: String) throws(FileError) {
        let (temporary, descriptor) = try createTemporary(for: Target(path: path), path: path)
        close(descriptor)
        unlink(temporary)
    }

    private static func createTemporary(
        for target: Target, path: String
    ) throws(FileError) -> (path: String, descriptor: Int32) {
        let unique = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let temporary = "\(target.directory)/.choir-\(getpid())-\(unique).partial"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError("create a temporary file for", path, errorNumber: errno) }
        return (temporary, descriptor)
    }

    /// Writes, flushes and closes the temporary file.
    private static func fill(
        _ descriptor: Int32,
        target: Target,
        path: String,
        _ body: (Sink) throws(FileError) -> Void
    ) throws(FileError) {
        do throws(FileError) {
            if let permissions = target.permissions, fchmod(descriptor, permissions) != 0 {
                throw FileError("set the permissions of", path, errorNumber: errno)
            }
            try body(Sink(descriptor: descriptor, path: path))
            guard fsync(descriptor) == 0 else { throw FileError("flush", path, errorNumber: errno) }
        } catch {
            close(descriptor)
            throw error
        }
        // Network file systems report a full disk only here.
        guard close(descriptor) == 0 else { throw FileError("close", path, errorNumber: errno) }
    }

    /// Makes the new name durable, where the file system and its permissions offer that.
    private static func flushDirectory(_ directory: String, path: String) throws(FileError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw FileError("flush the directory of", path, errorNumber: errno)
        }
    }

    /// The file that a path names after links.
    private struct Target {
        var path: String
        var directory: String
        /// The permissions of the old file; nil when there is none.
        var permissions: mode_t?

        init(path: String) throws(FileError) {
            guard !path.isEmpty, !path.utf8.contains(0) else {
                throw FileError("write", path, reason: "the path is empty or contains a NUL byte")
            }
            self.path = path
            var status = stat()
            if stat(path, &status) == 0 {
                // Renaming onto a device such as /dev/null would delete the device.
                guard status.st_mode & S_IFMT == S_IFREG else {
                    throw FileError("replace", path, reason: "it is not a regular file")
                }
                permissions = status.st_mode & 0o7777
                if let resolved = realpath(path, nil) {
                    self.path = String(cString: resolved)
                    free(resolved)
                }
            } else if errno != ENOENT {
                throw FileError("examine", path, errorNumber: errno)
            }
            if let slash = self.path.lastIndex(of: "/") {
                directory = slash == self.path.startIndex ? "/" : String(self.path[..<slash])
            } else {
                directory = "."
            }
        }
    }
}
