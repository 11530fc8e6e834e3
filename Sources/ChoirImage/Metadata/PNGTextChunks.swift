import Foundation

/// The PNG chunks that hold our texts (PNG specification, third edition, sections 5.3 and 11.3.3).
///
/// Libvips 8.14 writes compressed Latin-1 chunks whatever the text is, so that "café" reads "cafÃ©" elsewhere; hence
/// these are our own.
enum PNGTextChunks {
    /// The chunks in file order.
    static func encode(_ metadata: ImageMetadata) -> [UInt8] {
        var chunks: [UInt8] = []
        if let text = metadata.parameters { chunks += chunk(keyword: "parameters", text) }
        if let text = metadata.choir { chunks += chunk(keyword: "choir", text) }
        return chunks
    }

    private static func chunk(keyword: String, _ text: String) -> [UInt8] {
        let isASCII = text.utf8.allSatisfy { $0 < 128 }
        var body = Array((isASCII ? "tEXt" : "iTXt").utf8) + Array(keyword.utf8) + [0]
        // iTXt: not compressed, method 0, no language tag, no translated keyword.
        if !isASCII { body += [0, 0, 0, 0] }
        body += Array(text.utf8)
        return bigEndian(UInt32(body.count - 4)) + body + bigEndian(crc32(body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// The CRC of PNG annex D: polynomial 0xEDB88320, reflected, all bits inverted before and after.
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 { remainder = (remainder >> 1) ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~remainder
    }

    /// The text of a file's first `tEXt` chunk with a keyword ahead of the pixels, read as Latin-1.
    static func latin1Text(_ keyword: String, inFileAt path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        var offset: UInt64 = 8
        while let head = try? bytes(8, of: file, at: offset), head.count == 8 {
            let length = head[0..<4].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let type = String(decoding: head[4...], as: UTF8.self)
            if type == "IDAT" { return nil }
            if type == "tEXt", length <= ImageMetadata.maximumBytes,
                let body = try? bytes(Int(length), of: file, at: offset + 8), body.starts(with: keyword.utf8 + [0])
            {
                let text = body.dropFirst(keyword.utf8.count + 1).map { Unicode.Scalar($0) }
                return String(String.UnicodeScalarView(text))
            }
            offset += length + 12
        }
        return nil
    }

    private static func bytes(_ count: Int, of file: FileHandle, at offset: UInt64) throws -> [UInt8] {
        try file.seek(toOffset: offset)
        return Array(try file.read(upToCount: count) ?? Data())
    }
}
