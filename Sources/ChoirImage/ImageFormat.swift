/// A file format that Choir writes.
public enum ImageFormat: String, CaseIterable, Sendable {
    /// Portable Network Graphics, 8 or 16 bits.
    case png
    /// Tiled, pyramidal TIFF with deflate compression, 8 or 16 bits; BigTIFF when it could pass 4 GB.
    case tiff
    /// Baseline JPEG, 8 bits.
    case jpeg
    /// WebP, 8 bits.
    case webp
    /// A Deep Zoom pyramid: `NAME.dzi` and a directory `NAME_files` of JPEG tiles, 8 bits.
    case deepZoom

    /// The format that the ending of a file name stands for.
    ///
    /// - Throws: `ImageError.Code.unsupportedFormat`, listing the endings that are known.
    public init(path: String) throws(ImageError) {
        let ending = Self.split(path).ending
        guard let format = Self.allCases.first(where: { $0.fileEndings.contains(ending.lowercased()) }) else {
            let known = Self.allCases.flatMap(\.fileEndings).map { ".\($0)" }.joined(separator: ", ")
            let found = ending.isEmpty ? "the file name has no ending" : "the ending .\(ending) is not supported"
            throw ImageError(.unsupportedFormat, path, "\(found), expected one of \(known)")
        }
        self = format
    }

    /// The file name endings of this format, in lower case and without a dot.
    public var fileEndings: [String] {
        switch self {
        case .png: ["png"]
        case .tiff: ["tif", "tiff"]
        case .jpeg: ["jpg", "jpeg"]
        case .webp: ["webp"]
        case .deepZoom: ["dzi"]
        }
    }

    /// The largest width and height in pixels: the format's own limit, or else libvips's.
    public var maximumSide: Int {
        switch self {
        case .jpeg: 65_535
        case .webp: 16_383
        case .png, .tiff, .deepZoom: 10_000_000
        }
    }

    /// The bits per channel that it holds.
    public var bitDepths: [Int] {
        switch self {
        case .png, .tiff: [8, 16]
        case .jpeg, .webp, .deepZoom: [8]
        }
    }

    /// Splits a path into directory, name and ending (without the dot).
    static func split(_ path: String) -> (directory: String, stem: String, ending: String) {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let directory = path.dropLast(name.count)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
            return (.init(directory), .init(name), "")
        }
        return (String(directory), String(name[..<dot]), String(name[name.index(after: dot)...]))
    }

    /// Checks width, height, channels and bit depth before anything is created.
    package func validate(_ path: String, width: Int, height: Int, channels: Int, bitDepth: Int) throws(ImageError) {
        for (name, side) in [("width", width), ("height", height)] where !(1...maximumSide).contains(side) {
            throw ImageError(
                .invalidSize,
                path,
                "\(name) \(side) is not possible, \(rawValue) holds 1 to \(maximumSide) pixels"
            )
        }
        guard channels == 1 || channels == 3 else {
            throw ImageError(.invalidSize, path, "found \(channels) channels, expected 1 (grey) or 3 (RGB)")
        }
        guard bitDepths.contains(bitDepth) else {
            let expected = bitDepths.map(String.init).joined(separator: " or ")
            throw ImageError(.invalidSize, path, "\(rawValue) holds \(expected) bits per channel, not \(bitDepth)")
        }
    }
}
