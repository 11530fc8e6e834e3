import Choir
import ChoirImage
import ChoirTensor
import Foundation

/// Files that the command line writes.
enum OutputFile {
    /// Refuses before painting what could not be written after it.
    ///
    /// - Throws: `ImageError` for a name or size that no format takes, `FileError` for a directory that takes no files.
    static func check(_ path: String, size: PixelSize) throws {
        try ImageFormat(path: path).validate(path, width: size.width, height: size.height, channels: 3, bitDepth: 8)
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        // Written and removed: what permissions say and what happens differ on some file systems.
        let probe = directory + "/.choir-\(UUID().uuidString)"
        try AtomicFile.write([], to: probe)
        try FileManager.default.removeItem(atPath: probe)
    }

    /// A path that means the same wherever the program is started.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).path }

    /// Replaces a small file.
    static func write(_ data: Data, to path: String) throws { try AtomicFile.write(data, to: path) }
}

extension Tensor {
    /// Writes a small picture in place of the last one.
    func writePreview(to path: String) throws {
        let writer = try ImageWriter(path: path, width: width, height: height)
        try writer.write(strip: interleavedBytes(rows: 0..<height, width: width))
        try writer.finish()
    }
}
