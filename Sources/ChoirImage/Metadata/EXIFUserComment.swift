/// The EXIF block with a `UserComment`, the place where the Stable Diffusion web UI puts the parameters of JPEG and
/// WebP files (EXIF 2.32, sections 4.6.2, 4.6.3 and 4.6.5: tag 37510).
enum EXIFUserComment {
    private static let prefix = Array("Exif\0\0".utf8)
    private static let directoryTag = 0x8769
    private static let commentTag = 0x9286

    /// A big-endian block whose comment is UTF-16, marked `UNICODE`, in the block's byte order.
    static func encode(_ text: String) -> [UInt8] {
        var comment = Array("UNICODE\0".utf8)
        for unit in text.utf16 { comment += [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
        let count = UInt32(comment.count)
        var block = prefix + Array("MM".utf8) + [0, 42, 0, 0, 0, 8]
        // First directory at 8: one entry that points to the EXIF directory at 26.
        block += [0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]
        // EXIF directory: one entry of type UNDEFINED whose bytes begin at 44.
        block += [0, 1, 0x92, 0x86, 0, 7]
        block += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        block += [0, 0, 0, 44, 0, 0, 0, 0]
        return block + comment
    }

    /// The comment of a block of either byte order; nil when there is none or the block is malformed.
    static func decode(_ block: [UInt8]) -> String? {
        let bytes = block.starts(with: prefix) ? Array(block.dropFirst(prefix.count)) : block
        guard let isBigEndian = [Array("MM".utf8): true, Array("II".utf8): false][Array(bytes.prefix(2))] else {
            return nil
        }
        let reader = Reader(bytes: bytes, isBigEndian: isBigEndian)
        guard let first = reader.integer(at: 4, size: 4),
            let pointer = reader.entry(directoryTag, directory: first),
            let directory = reader.integer(at: pointer + 8, size: 4),
            let entry = reader.entry(commentTag, directory: directory),
            let count = reader.integer(at: entry + 4, size: 4),
            let offset = count <= 4 ? entry + 8 : reader.integer(at: entry + 8, size: 4),
            count >= 8, offset <= bytes.count, count <= bytes.count - offset
        else { return nil }
        let text = bytes[offset + 8..<offset + count]
        switch bytes[offset..<offset + 8] {
        case let code where code.elementsEqual("UNICODE\0".utf8):
            return decodeUTF16(Array(text), isBigEndian: isBigEndian)
        case let code where code.elementsEqual("ASCII\0\0\0".utf8) || code.allSatisfy { $0 == 0 }:
            return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        default:
            return nil
        }
    }

    /// UTF-16 in the order that a byte order mark states, or else the one in which ASCII looks like ASCII (writers
    /// disagree on whether the block's order applies), or else the block's.
    private static func decodeUTF16(_ bytes: [UInt8], isBigEndian: Bool) -> String {
        var isBigEndian = isBigEndian
        let pairs = stride(from: 0, to: bytes.count - 1, by: 2)
        let zerosFirst = pairs.count { bytes[$0] == 0 }
        let zerosSecond = pairs.count { bytes[$0 + 1] == 0 }
        if zerosFirst != zerosSecond { isBigEndian = zerosFirst > zerosSecond }
        var units = pairs.map { pair in
            let high = UInt16(bytes[isBigEndian ? pair : pair + 1])
            return high << 8 | UInt16(bytes[isBigEndian ? pair + 1 : pair])
        }
        if units.first == 0xFFFE { units = units.map(\.byteSwapped) }
        if units.first == 0xFEFF { units.removeFirst() }
        return String(decoding: units, as: UTF16.self)
    }

    private struct Reader {
        let bytes: [UInt8]
        let isBigEndian: Bool

        func integer(at offset: Int, size: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            let field = bytes[offset..<offset + size]
            return (isBigEndian ? Array(field) : field.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }

        /// Where a directory's entry with this tag begins.
        func entry(_ tag: Int, directory: Int) -> Int? {
            guard let count = integer(at: directory, size: 2) else { return nil }
            for index in 0..<count {
                let offset = directory + 2 + 12 * index
                guard let found = integer(at: offset, size: 2) else { return nil }
                if found == tag { return offset }
            }
            return nil
        }
    }
}
