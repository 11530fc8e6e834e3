internal import CVips

/// Reads an image file as strips of 8-bit RGB rows from the top, so that the whole picture is never in memory.
///
/// Reads PNG, TIFF, JPEG, WebP and PPM, by content and not by name. Grey becomes RGB, 16 bits become 8 (the upper
/// byte), transparency is laid over black, other colour spaces are converted to sRGB. Interlaced PNG, progressive JPEG
/// and WebP have to be decoded as a whole.
public final class ImageReader {
    /// The width in pixels.
    public let width: Int
    /// The height in pixels.
    public let height: Int
    /// The channels in the file, transparency included; the rows that are read always have 3.
    public let channels: Int
    /// The bits per channel in the file.
    public let bitDepth: Int
    /// The texts that the file carries.
    public let metadata: ImageMetadata
    /// The number of rows read so far.
    public private(set) var nextRow = 0

    private let path: String
    private let region: VipsReference<VipsRegion>

    /// The largest number of pixels of an image that has to be decoded as a whole.
    static let maximumWholePixels = 1 << 28

    /// Opens a file and reads its header; pixels only on demand.
    ///
    /// - Parameter maximumPixels: The most pixels (width × height) that are accepted, against files that expand without
    ///   end; by default 2³².
    /// - Throws: `ImageError` when there is no such file, it is not an image, damaged, or too large.
    public init(path: String, maximumPixels: Int = 1 << 32) throws(ImageError) {
        try ImageRuntime.start()
        try requireRegularFile(path)
        guard let source = VipsReference(vips_source_new_from_file(path)) else {
            throw ImageRuntime.takeError(.fileSystem, path, "cannot be opened")
        }
        guard let image = VipsReference(cvips_image_new_from_source(source.pointer)) else {
            throw ImageRuntime.takeError(
                .unsupportedFormat,
                path,
                "is not a readable PNG, TIFF, JPEG, WebP or PPM image"
            )
        }
        width = Int(vips_image_get_width(image.pointer))
        height = Int(vips_image_get_height(image.pointer))
        channels = Int(vips_image_get_bands(image.pointer))
        bitDepth = 8 * Int(vips_format_sizeof(vips_image_get_format(image.pointer)))
        let isWhole =
            vips_image_get_typeof(image.pointer, "interlaced") != 0
            || vips_image_get_typeof(image.pointer, "jpeg-multiscan") != 0
        let limit = isWhole ? min(maximumPixels, Self.maximumWholePixels) : maximumPixels
        // No overflow: libvips's sides are at most 10 million.
        guard width * height <= limit else {
            throw ImageError(
                .invalidSize,
                path,
                "has \(width)×\(height) = \(width * height) pixels, expected at most \(limit)"
            )
        }
        metadata = ImageMetadata(image: image.pointer, path: path)
        let converted = try Self.convert(image, path)
        guard let region = VipsReference(vips_region_new(converted.pointer)) else {
            throw ImageRuntime.takeError(.library, path, "cannot be read")
        }
        self.region = region
        self.path = path
    }

    /// Reads the next rows.
    ///
    /// - Parameter count: The most rows to return, at least 1.
    /// - Returns: Rows of interleaved RGB, `3 * width` bytes each; empty after the last row.
    /// - Throws: `ImageError.Code.damaged` when the file is truncated or corrupt.
    public func readRows(_ count: Int = 64) throws(ImageError) -> [UInt8] {
        precondition(count >= 1, "at least one row must be asked for")
        let rows = min(count, height - nextRow)
        guard rows > 0 else { return [] }
        var area = VipsRect(left: 0, top: Int32(nextRow), width: Int32(width), height: Int32(rows))
        guard vips_region_prepare(region.pointer, &area) == 0 else {
            throw ImageRuntime.takeError(.damaged, path, "is damaged or truncated near row \(nextRow) of \(height)")
        }
        let rowBytes = 3 * width
        var pixels: [UInt8] = []
        pixels.reserveCapacity(rows * rowBytes)
        for row in nextRow..<(nextRow + rows) {
            let address = cvips_region_address(region.pointer, 0, Int32(row))
            pixels.append(contentsOf: UnsafeBufferPointer(start: address, count: rowBytes))
        }
        nextRow += rows
        return pixels
    }

    private static func convert(
        _ image: borrowing VipsReference<VipsImage>,
        _ path: String
    ) throws(ImageError) -> VipsReference<VipsImage> {
        let failed = "cannot be converted to RGB"
        var pointer: UnsafeMutablePointer<VipsImage>?
        try ImageRuntime.check(.unsupportedFormat, path, failed) {
            cvips_colourspace(image.pointer, &pointer, VIPS_INTERPRETATION_sRGB)
        }
        guard let colour = VipsReference(pointer) else { throw ImageError(.library, path, failed) }
        var opaque: UnsafeMutablePointer<VipsImage>?
        if vips_image_hasalpha(colour.pointer) != 0 {
            try ImageRuntime.check(.library, path, failed) { cvips_flatten(colour.pointer, &opaque) }
        } else {
            try ImageRuntime.check(.library, path, failed) { cvips_copy(colour.pointer, &opaque) }
        }
        guard let flat = VipsReference(opaque) else { throw ImageError(.library, path, failed) }
        guard vips_image_get_bands(flat.pointer) == 3 else {
            let found = "has \(vips_image_get_bands(flat.pointer)) colour channels"
            throw ImageError(.unsupportedFormat, path, "\(found), expected grey, RGB or CMYK, with or without alpha")
        }
        var bytes: UnsafeMutablePointer<VipsImage>?
        try ImageRuntime.check(.library, path, failed) { cvips_cast(flat.pointer, &bytes, VIPS_FORMAT_UCHAR) }
        guard let result = VipsReference(bytes) else { throw ImageError(.library, path, failed) }
        return result
    }
}
