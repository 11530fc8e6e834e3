import Foundation
import Glibc

/// A hidden, locked directory beside an output in which the output grows until it is whole.
///
/// `DIRECTORY/.NAME.partial` always has the same name, so what a killed process left is found and removed by the next
/// one that writes the same file; the lock keeps two living ones apart.
final class StagingDirectory {
    /// The absolute path of the output, behind any symbolic link.
    let output: String
    /// The absolute path of this directory.
    let path: String
    private let directory: String
    private let lock: Int32
    private var isRemoved = false

    /// Creates and locks the directory; checks everything about the output's place that can be known by now.
    ///
    /// - Parameter isPyramid: Whether a directory `STEM_files` goes with the output.
    init(output: String, isPyramid: Bool) throws(ImageError) {
        self.output = try Self.resolve(output)
        let parts = ImageFormat.split(self.output)
        directory = parts.directory
        path = "\(parts.directory).\(parts.stem).\(parts.ending).partial"
        let tiles = Self.pyramidDirectory(of: self.output)
        if isPyramid, let mode = Self.mode(of: tiles), mode & S_IFMT != S_IFDIR {
            throw ImageError(.fileSystem, tiles, "is in the way, expected a directory or nothing")
        }
        lock = try Self.acquire(path, for: output)
        try recover(tiles: isPyramid ? tiles : nil)
    }

    deinit { remove() }

    /// Where the tiles of a pyramid are.
    static func pyramidDirectory(of output: String) -> String {
        let parts = ImageFormat.split(output)
        return "\(parts.directory)\(parts.stem)_files"
    }

    /// Flushes a finished file to the disk and puts it in the output's place, in one step.
    func commit(file: String) throws(ImageError) {
        if let mode = Self.mode(of: output) { chmod(file, mode & 0o7777) }
        try Self.flush(file)
        try move(file, to: output)
        try Self.flush(directory)
    }

    /// Puts a finished and flushed pyramid in the old one's place.
    ///
    /// Two directory entries cannot be exchanged in one step. The old tiles are kept until both new entries are there,
    /// and are put back when a step fails, or by the next writer when the process dies in between.
    func commit(descriptor: String, tiles: String) throws(ImageError) {
        let target = Self.pyramidDirectory(of: output)
        let previous = "\(path)/\(Self.previousName)"
        let hadTiles = Self.mode(of: target) != nil
        if hadTiles { try move(target, to: previous) }
        do throws(ImageError) {
            try move(tiles, to: target)
            do throws(ImageError) {
                try move(descriptor, to: output)
            } catch {
                rename(target, tiles)
                throw error
            }
        } catch {
            if hadTiles { rename(previous, target) }
            throw error
        }
        try Self.flush(directory)
    }

    /// Removes the directory with all that is in it, and unlocks it.
    func remove() {
        guard !isRemoved else { return }
        isRemoved = true
        try? FileManager.default.removeItem(atPath: path)
        close(lock)
    }

    /// Whether less than a megabyte is left on the disk.
    var isDiskFull: Bool {
        var status = statvfs()
        return statvfs(path, &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) < 1 << 20
    }

    // MARK: -

    private static let previousName = "previous"

    /// Empties what a killed process left, after putting back old tiles that it had moved away.
    private func recover(tiles: String?) throws(ImageError) {
        if let tiles, Self.mode(of: tiles) == nil { rename("\(path)/\(Self.previousName)", tiles) }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            do {
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
            } catch {
                throw ImageError(.fileSystem, "\(path)/\(name)", "is left from an earlier run and cannot be removed")
            }
        }
    }

    private static func resolve(_ output: String) throws(ImageError) -> String {
        var status = stat()
        if lstat(output, &status) == 0 {
            guard let resolved = realpath(output, nil) else { throw systemError(output, "cannot be followed") }
            defer { free(resolved) }
            guard let mode = mode(of: output), mode & S_IFMT == S_IFREG else {
                throw ImageError(.fileSystem, output, "exists and is not an ordinary file")
            }
            guard access(output, W_OK) == 0 else { throw systemError(output, "cannot be replaced") }
            return String(cString: resolved)
        }
        let parts = ImageFormat.split(output)
        guard let resolved = realpath(parts.directory.isEmpty ? "." : parts.directory, nil) else {
            throw systemError(output, "its directory cannot be used")
        }
        defer { free(resolved) }
        let directory = String(cString: resolved)
        return "\(directory == "/" ? "" : directory)/\(parts.stem).\(parts.ending)"
    }

    private static func acquire(_ path: String, for output: String) throws(ImageError) -> Int32 {
        while true {
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw systemError(output, "cannot be written there")
            }
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            if descriptor < 0 {
                // Another writer removed it in between: make it again.
                if errno == ENOENT { continue }
                throw systemError(path, "is in the way")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw ImageError(.fileSystem, output, "another process, or another writer of this one, is writing it")
            }
            // A lock on a directory that its previous owner has removed since protects nothing.
            var locked = stat()
            var named = stat()
            if fstat(descriptor, &locked) == 0, lstat(path, &named) == 0, locked.st_ino == named.st_ino {
                return descriptor
            }
            close(descriptor)
        }
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : nil
    }

    /// Asks the disk to keep a file or a directory's entries.
    static func flush(_ path: String) throws(ImageError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError(path, "cannot be opened to flush it") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw systemError(path, "cannot be flushed to the disk") }
    }

    private func move(_ source: String, to target: String) throws(ImageError) {
        guard rename(source, target) == 0 else { throw Self.systemError(target, "cannot be put in place") }
    }

    /// An error from `errno`, which must not have changed since the call that failed.
    static func systemError(_ subject: String, _ attempt: String) -> ImageError {
        let number = errno
        let reason = String(cStringOrEmpty: strerror(number))
        return ImageError(number == ENOSPC ? .diskFull : .fileSystem, subject, "\(attempt) (\(reason))")
    }
}
