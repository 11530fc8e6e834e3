import Choir
import ChoirImage
import ChoirTensor
import Foundation

/// A path that means the same wherever the program is started.
func absolutePath(_ path: String) -> String { URL(fileURLWithPath: path).path }

extension OutputOptions {
    /// Refuses, before painting, files beside the picture that could not be written.
    ///
    /// - Throws: `FileError` or `ImageError` that names the file, `RequestError` for a decoder of no previews.
    func check() throws {
        if let previewDecoder, preview == nil {
            throw RequestError("preview decoder", found: previewDecoder, expected: "none without --preview")
        }
        if let report { try AtomicFile.check(report) }
        if let latents { try AtomicFile.check(latents) }
        if let preview { try ImageWriter.check(path: preview, width: Self.previewSide, height: Self.previewSide) }
    }
}

extension Tensor {
    /// Writes a small picture in place of the last one.
    func writePreview(to path: String) throws {
        let writer = try ImageWriter(path: path, width: width, height: height)
        try writer.write(strip: interleavedBytes(rows: 0..<height, width: width))
        try writer.finish()
    }
}
