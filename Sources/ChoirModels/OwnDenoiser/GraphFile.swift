import ChoirTensor

/// Whether a file is what its ending says, as far as its outermost form shows it.
///
/// The engine tries a file that it does not recognise as that of any other program, and says so at length. So what is
/// cut off or of another kind is refused before it comes there.
public enum GraphFile {
    /// Looks at a graph's file.
    ///
    /// - Parameter path: An `.onnx` file, or the `.xml` file of an IR.
    /// - Throws: `ModelError` that names the file, if it is empty, cut off or of another kind.
    public static func check(_ path: String) throws(ModelError) {
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch {
            throw ModelError(path, "cannot \(error.operation) the graph: \(error.reason)")
        }
        let isONNX = path.hasSuffix(".onnx")
        let isPlausible = withExtendedLifetime(file) { isONNX ? holdsONNX(file.bytes) : holdsIR(file.bytes) }
        guard isPlausible else {
            throw ModelError(
                path,
                "this cannot be read as \(isONNX ? "an ONNX file" : "an OpenVINO IR"): it is damaged or of another kind, "
                    + "expected \(isONNX ? "a model with a graph" : "an element <net> at its beginning")")
        }
    }

    /// Whether bytes begin like the XML of an IR.
    private static func holdsIR(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = String(decoding: bytes.prefix(1024), as: UTF8.self)
        return start.drop { $0.isWhitespace || $0 == "\u{FEFF}" }.hasPrefix("<") && start.contains("<net")
    }

    /// Whether bytes are one message of Protocol Buffers whose fields all end within it, with the version and the graph
    /// of an ONNX model: a varint in field 1 and a message in field 7.
    private static func holdsONNX(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        var (hasVersion, hasGraph) = (false, false)
        while place < bytes.count {
            guard let tag = varint(bytes, &place) else { return false }
            switch tag & 7 {
            case 0:
                guard varint(bytes, &place) != nil else { return false }
                hasVersion = hasVersion || tag >> 3 == 1
            case 1: place += 8
            case 2:
                guard let length = varint(bytes, &place), length <= bytes.count - place else { return false }
                place += Int(length)
                hasGraph = hasGraph || tag >> 3 == 7
            case 5: place += 4
            default: return false
            }
        }
        return place == bytes.count && hasVersion && hasGraph
    }

    /// An integer of seven bits a byte, the least significant first; nil if it does not end.
    private static func varint(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard place < bytes.count else { return nil }
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        return nil
    }
}
