internal import CVips

extension ImageMetadata {
    /// The texts among an image's libvips fields; each from the first place that has it.
    init(image: UnsafeMutablePointer<VipsImage>, path: String) {
        let xmp = Self.blob(VIPS_META_XMP_NAME, of: image).map(XMPPacket.decode) ?? ImageMetadata()
        let comment = Self.blob(VIPS_META_EXIF_NAME, of: image).flatMap(EXIFUserComment.decode)
        let description = Self.text(VIPS_META_IMAGEDESCRIPTION, of: image)
        self.init(
            parameters: Self.pngText("parameters", of: image, path) ?? comment ?? xmp.parameters ?? description,
            choir: Self.pngText("choir", of: image, path) ?? xmp.choir
        )
    }

    /// A PNG text chunk; libvips names them `png-comment-INDEX-KEYWORD`.
    private static func pngText(
        _ keyword: String,
        of image: UnsafeMutablePointer<VipsImage>,
        _ path: String
    ) -> String? {
        guard let fields = vips_image_get_fields(image) else { return nil }
        defer { g_strfreev(fields) }
        var index = 0
        while let field = fields[index] {
            let name = String(cString: field)
            let parts = name.split(separator: "-", maxSplits: 3)
            if parts.count == 4, parts[0] == "png", parts[1] == "comment", parts[3] == keyword {
                let text = text(name, of: image)
                // What libvips makes of Latin-1, which the specification prescribes for tEXt.
                return text == "<invalid utf-8 string>" ? PNGTextChunks.latin1Text(keyword, inFileAt: path) : text
            }
            index += 1
        }
        return nil
    }

    private static func text(_ name: String, of image: UnsafeMutablePointer<VipsImage>) -> String? {
        guard vips_image_get_typeof(image, name) != 0 else { return nil }
        var value: UnsafePointer<CChar>?
        guard vips_image_get_string(image, name, &value) == 0, let value else {
            vips_error_clear()
            return nil
        }
        return String(cString: value)
    }

    private static func blob(_ name: String, of image: UnsafeMutablePointer<VipsImage>) -> [UInt8]? {
        guard vips_image_get_typeof(image, name) != 0 else { return nil }
        var data: UnsafeRawPointer?
        var count = 0
        guard vips_image_get_blob(image, name, &data, &count) == 0, let data else {
            vips_error_clear()
            return nil
        }
        return Array(UnsafeRawBufferPointer(start: data, count: count))
    }
}
