import Glibc

/// Throws one clear sentence unless the path leads to an ordinary, readable file: a device or a pipe may never end.
func requireRegularFile(_ path: String) throws(ImageError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw StagingDirectory.systemError(path, "cannot be read") }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw ImageError(.fileSystem, path, "is not an ordinary file, expected an image")
    }
    guard access(path, R_OK) == 0 else { throw StagingDirectory.systemError(path, "cannot be read") }
}
