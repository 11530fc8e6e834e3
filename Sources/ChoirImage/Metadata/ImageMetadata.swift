import Foundation

/// The texts that travel inside an image file.
///
/// | format | `parameters` | `choir` |
/// |---|---|---|
/// | PNG | text chunk `parameters` | text chunk `choir` |
/// | JPEG, WebP | EXIF `UserComment` (`UNICODE`), XMP `dc:description` | XMP `choir:request` |
/// | TIFF | `ImageDescription`, XMP `dc:description` | XMP `choir:request` |
/// | Deep Zoom | `NAME_files/choir.json` | `NAME_files/choir.json` |
///
/// PNG text chunks are `tEXt` when the text is ASCII and `iTXt` otherwise, ahead of the pixels. The Deep Zoom file
/// holds this value's own JSON form; it is inside the pyramid's directory so that it can replace no file of the user.
public struct ImageMetadata: Hashable, Sendable, Codable {
    /// The generation parameters as the Stable Diffusion ecosystem writes them, see ``GenerationParameters``.
    public var parameters: String?
    /// A JSON text that reproduces the request.
    public var choir: String?

    /// The most bytes of UTF-8 that each text may have.
    public static let maximumBytes = 1 << 20

    /// Metadata of the given texts.
    public init(parameters: String? = nil, choir: String? = nil) {
        self.parameters = parameters
        self.choir = choir
    }

    /// The metadata of an image file or of a `.dzi` pyramid; empty when it carries none of ours.
    ///
    /// - Throws: `ImageError` when the file cannot be read.
    public init(contentsOf path: String) throws(ImageError) {
        guard case .deepZoom? = try? ImageFormat(path: path) else {
            // Pixels are never touched, so their number does not matter.
            self = try ImageReader(path: path, maximumPixels: .max).metadata
            return
        }
        let sidecar = Self.deepZoomPath(path)
        try requireRegularFile(path)
        guard let file = FileHandle(forReadingAtPath: sidecar) else {
            self.init()
            return
        }
        defer { try? file.close() }
        let limit = 16 * Self.maximumBytes
        guard let data = try? file.read(upToCount: limit), data.count < limit,
            let metadata = try? JSONDecoder().decode(Self.self, from: data)
        else {
            throw ImageError(.invalidMetadata, sidecar, "is not the JSON that Choir writes beside a pyramid")
        }
        self = metadata
    }

    /// Where the metadata of a pyramid is.
    static func deepZoomPath(_ path: String) -> String {
        let parts = ImageFormat.split(path)
        return "\(parts.directory)\(parts.stem)_files/choir.json"
    }

    /// Checks that a format can store the texts.
    func validate(_ path: String, for format: ImageFormat) throws(ImageError) {
        for (name, text) in [("parameters", parameters), ("choir", choir)] {
            guard let text else { continue }
            guard !text.utf8.contains(0) else {
                throw ImageError(.invalidMetadata, path, "the \(name) text contains a zero character")
            }
            guard text.utf8.count <= Self.maximumBytes else {
                let found = "the \(name) text has \(text.utf8.count) bytes"
                throw ImageError(.invalidMetadata, path, "\(found), expected at most \(Self.maximumBytes)")
            }
        }
        guard format == .jpeg else { return }
        let exif = parameters.map { EXIFUserComment.encode($0).count } ?? 0
        let largest = max(exif, XMPPacket.encode(self).count)
        // A JPEG marker holds 65,533 bytes; libvips adds entries to the EXIF block, and drops XMP above 60,000.
        guard largest <= 60_000 else {
            let found = "the metadata needs a block of \(largest) bytes"
            throw ImageError(.invalidMetadata, path, "\(found), but a JPEG file holds at most 60000; use PNG")
        }
    }
}
