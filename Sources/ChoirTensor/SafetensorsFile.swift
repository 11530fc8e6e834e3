/// A safetensors file: named tensors in one memory-mapped file, whose header was validated completely.
///
/// Layout: the length of the header (8 bytes, little-endian), the header (JSON), then the bytes of all tensors without
/// gaps. See <https://github.com/huggingface/safetensors>, "Format". Bytes of tensors are read from disk when used.
public struct SafetensorsFile: Sendable {
    /// Where one tensor lies in the file.
    public struct Entry: Hashable, Sendable {
        /// The tensor's name.
        public let name: String
        /// The type of its elements.
        public let dataType: DataType
        /// Its shape.
        public let shape: Shape
        /// Its bytes, as offsets from the start of the file.
        public let fileRange: Range<Int>
    }

    /// The largest header that is accepted, in bytes; the reference implementation's limit.
    public static let maximumHeaderByteCount = 100_000_000

    /// The mapped file. Constants of a compiled model may point into it as long as it lives.
    public let mapping: MappedFile

    /// The text pairs of `__metadata__`.
    public let metadata: [String: String]

    /// All tensors by name.
    public let tensors: [String: Entry]

    /// The names of all tensors in the order of their bytes in the file.
    public let names: [String]

    /// The path as given by the caller.
    public var path: String { mapping.path }

    /// Maps a file and validates its header; reads nothing else.
    ///
    /// Throws `SafetensorsError` when the file cannot be mapped, or the header is too long, malformed or lies: about
    /// an unknown element type, an impossible shape, or bytes that overlap, leave gaps or do not end with the file.
    public init(path: String) throws(SafetensorsError) {
        let mapping: MappedFile
        do {
            mapping = try MappedFile(path: path)
        } catch {
            throw SafetensorsError(.file, path: path, error.description)
        }
        try self.init(mapping: mapping)
    }

    private init(mapping: MappedFile) throws(SafetensorsError) {
        let path = mapping.path
        let bytes = mapping.bytes
        guard bytes.count >= 8 else {
            throw SafetensorsError(
                .header,
                path: path,
                "the file has \(bytes.count) bytes, expected at least 8 for the header length"
            )
        }
        let headerByteCount = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard headerByteCount <= UInt64(min(SafetensorsFile.maximumHeaderByteCount, bytes.count - 8)) else {
            if Self.isPickle(bytes) {
                throw SafetensorsError(
                    .header,
                    path: path,
                    "is a file of PyTorch, which could run code when it is read, expected a safetensors file"
                )
            }
            throw SafetensorsError(
                .header,
                path: path,
                "the header length is \(headerByteCount), expected at most \(bytes.count - 8) (what the file has) "
                    + "and \(SafetensorsFile.maximumHeaderByteCount)"
            )
        }
        let dataStart = 8 + Int(headerByteCount)
        let header: SafetensorsHeaderParser
        do {
            header = try SafetensorsHeaderParser([UInt8](bytes[8..<dataStart]))
        } catch {
            throw SafetensorsError(.header, path: path, "header byte \(error.offset): \(error.message)")
        }
        var entries: [Entry] = []
        var end = dataStart
        for record in header.records.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            let entry = try Entry(record, dataStart: dataStart, fileEnd: bytes.count, path: path)
            guard entry.fileRange.lowerBound == end else {
                throw SafetensorsError(
                    .offsets,
                    path: path,
                    tensor: entry.name,
                    "begins at offset \(record.begin), expected \(end - dataStart), where the tensor before it ends"
                )
            }
            end = entry.fileRange.upperBound
            entries.append(entry)
        }
        guard end == bytes.count else {
            throw SafetensorsError(
                .offsets,
                path: path,
                "the tensors end at byte \(end) of the file, expected \(bytes.count), its size"
            )
        }
        self.mapping = mapping
        self.metadata = header.metadata
        self.names = entries.map(\.name)
        self.tensors = Dictionary(uniqueKeysWithValues: zip(names, entries))
    }

    /// Whether bytes begin like what PyTorch saves, `.ckpt`, `.pt`, `.pth` or `.bin`: a zip archive with a pickle, or
    /// by old versions a pickle of protocol 2 that begins with a long number.
    private static func isPickle(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x80, 0x02, 0x8A])
    }

    /// The entry of a tensor; throws `SafetensorsError` when the file has none of this name.
    public func entry(_ name: String) throws(SafetensorsError) -> Entry {
        guard let entry = tensors[name] else {
            throw SafetensorsError(
                .missingTensor,
                path: path,
                tensor: name,
                "not found among the \(names.count) tensors of the file"
            )
        }
        return entry
    }

    /// Provides scoped access to the bytes of a tensor as they are in the file; they need not be aligned.
    ///
    /// - Precondition: The entry is one of this file.
    public func withBytes<Result, Failure: Error>(
        of entry: Entry,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes(of: entry).bytes)
    }

    func bytes(of entry: Entry) -> UnsafeRawBufferPointer {
        precondition(tensors[entry.name] == entry, "tensor \"\(entry.name)\" is not of the file \(path)")
        return UnsafeRawBufferPointer(rebasing: mapping.bytes[entry.fileRange])
    }
}

extension SafetensorsFile.Entry {
    fileprivate init(
        _ record: SafetensorsHeaderParser.Record,
        dataStart: Int,
        fileEnd: Int,
        path: String
    ) throws(SafetensorsError) {
        func refuse(_ code: SafetensorsError.Code, _ message: String) -> SafetensorsError {
            SafetensorsError(code, path: path, tensor: record.name, message)
        }
        guard let dataType = DataType(rawValue: record.dataType) else {
            let known = DataType.allCases.map(\.rawValue).joined(separator: ", ")
            throw refuse(.dataType, "unknown data type \"\(record.dataType)\", expected one of \(known)")
        }
        guard let shape = Shape(checking: record.dimensions) else {
            throw refuse(.shape, "shape \(record.dimensions) has too many elements")
        }
        let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: dataType.byteCount)
        guard !overflow else { throw refuse(.shape, "shape \(shape) has too many bytes") }
        guard record.begin <= record.end, record.end <= fileEnd - dataStart else {
            throw refuse(
                .offsets,
                "data offsets [\(record.begin), \(record.end)], expected an ascending pair up to \(fileEnd - dataStart)"
            )
        }
        guard record.end - record.begin == byteCount else {
            throw refuse(
                .offsets,
                "has \(record.end - record.begin) bytes, expected \(byteCount) for \(dataType.rawValue) \(shape)"
            )
        }
        name = record.name
        self.dataType = dataType
        self.shape = shape
        fileRange = (dataStart + record.begin)..<(dataStart + record.end)
    }
}
