/// Writes safetensors files.
public enum SafetensorsWriter {
    /// The elements of one tensor and how they are stored.
    public enum Content: Hashable, Sendable {
        /// Stored as F32.
        case float32(Tensor)
        /// Stored as F16, rounded to nearest; magnitudes from 65520 on become infinite.
        case float16(Tensor)
        /// Stored as I64, in row-major order; the counts must match.
        case int64(Shape, [Int64])
        /// Stored as U8, in row-major order; the counts must match.
        case uint8(Shape, [UInt8])

        /// The element type in the file.
        public var dataType: DataType {
            switch self {
            case .float32: .float32
            case .float16: .float16
            case .int64: .int64
            case .uint8: .uint8
            }
        }

        /// The shape in the file.
        public var shape: Shape {
            switch self {
            case .float32(let tensor), .float16(let tensor): tensor.shape
            case .int64(let shape, _), .uint8(let shape, _): shape
            }
        }
    }

    /// Replaces the file at `path` by one that holds `tensors` and `metadata`, atomically (see ``AtomicFile``).
    ///
    /// Equal input gives equal bytes: header keys are sorted, and the data lies by descending element size, then by
    /// name, so that every tensor is aligned to its elements.
    ///
    /// Throws `SafetensorsError` when a name is reserved, the header grows too long, or the system refuses to write;
    /// the old file, if any, is then as it was.
    ///
    /// - Precondition: Every list has as many elements as its shape.
    public static func write(
        tensors: [String: Content],
        metadata: [String: String] = [:],
        to path: String
    ) throws(SafetensorsError) {
        for (name, content) in tensors {
            precondition(content.hasMatchingCount, "tensor \"\(name)\" has another element count than \(content.shape)")
        }
        guard tensors["__metadata__"] == nil else {
            throw SafetensorsError(.header, path: path, tensor: "__metadata__", "the name is reserved by the format")
        }
        let ordered = tensors.sorted {
            let (left, right) = ($0.value.dataType.byteCount, $1.value.dataType.byteCount)
            return left == right ? $0.key < $1.key : left > right
        }
        let header = header(ordered, metadata: metadata)
        guard header.count <= SafetensorsFile.maximumHeaderByteCount else {
            throw SafetensorsError(
                .header,
                path: path,
                "the header would have \(header.count) bytes, expected at most \(SafetensorsFile.maximumHeaderByteCount)"
            )
        }
        do {
            try AtomicFile.write(to: path) { (sink) throws(FileError) in
                try sink.write([UInt64(header.count)]) { $0 }
                try sink.write(header)
                for (_, content) in ordered {
                    try content.write(to: sink)
                }
            }
        } catch {
            throw SafetensorsError(.writing, path: path, error.description)
        }
    }

    private static func header(_ ordered: [(key: String, value: Content)], metadata: [String: String]) -> [UInt8] {
        var members: [(name: String, json: String)] = []
        var offset = 0
        for (name, content) in ordered {
            let end = offset + content.shape.elementCount * content.dataType.byteCount
            let shape = content.shape.dimensions.map(String.init).joined(separator: ",")
            let dataType = content.dataType.rawValue
            members.append(
                (name, #"{"dtype":"\#(dataType)","shape":[\#(shape)],"data_offsets":[\#(offset),\#(end)]}"#)
            )
            offset = end
        }
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append(("__metadata__", "{\(pairs.joined(separator: ","))}"))
        }
        members.sort { $0.name < $1.name }
        var header = Array("{\(members.map { "\(quoted($0.name)):\($0.json)" }.joined(separator: ","))}".utf8)
        header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
        return header
    }

    private static func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": json += "\\\(scalar)"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}

extension SafetensorsWriter.Content {
    fileprivate var hasMatchingCount: Bool {
        switch self {
        case .float32, .float16: true
        case .int64(let shape, let elements): elements.count == shape.elementCount
        case .uint8(let shape, let elements): elements.count == shape.elementCount
        }
    }

    fileprivate func write(to sink: AtomicFile.Sink) throws(FileError) {
        switch self {
        case .float32(let tensor): try sink.write(tensor.elements) { $0.bitPattern }
        case .float16(let tensor): try sink.write(tensor.elements) { Float16($0).bitPattern }
        case .int64(_, let elements): try sink.write(elements) { $0 }
        case .uint8(_, let elements): try sink.write(elements)
        }
    }
}

extension AtomicFile.Sink {
    /// Appends numbers in little-endian order, a part at a time: a canvas may be large, and is not copied.
    fileprivate func write<Number>(
        _ numbers: [Number],
        as bits: (Number) -> some FixedWidthInteger
    ) throws(FileError) {
        let partLength = 1 << 18
        for start in stride(from: 0, to: numbers.count, by: partLength) {
            let part = numbers[start..<min(start + partLength, numbers.count)].map { bits($0).littleEndian }
            try part.withUnsafeBufferPointer { (buffer) throws(FileError) in
                try write(UnsafeRawBufferPointer(buffer))
            }
        }
    }
}
