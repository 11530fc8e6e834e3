import Choir
import ChoirImage
import ChoirTensor
import Foundation

/// Files that the command line writes.
enum OutputFile {
    /// Refuses before painting a small file that could not be written after it.
    ///
    /// - Throws: `FileError` for a directory that takes no files, or something else than a file in the way.
    static func check(_ path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else { return try AtomicFile.check(path) }
    }

    /// A path that means the same wherever the program is started.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).path }

    /// Replaces a small file.
    static func write(_ data: Data, to path: String) throws { try AtomicFile.write(data, to: path) }
}
