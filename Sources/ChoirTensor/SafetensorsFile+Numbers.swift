extension SafetensorsFile {
    /// A tensor as `Float`: F32 as it is, F16 and BF16 widened exactly, F64 rounded to nearest.
    ///
    /// Throws `SafetensorsError` when the tensor is missing or holds no floating-point numbers.
    public func floats(_ name: String) throws(SafetensorsError) -> Tensor {
        let entry = try entry(name)
        let bytes = bytes(of: entry)
        let elements: [Float]
        switch entry.dataType {
        case .float32: elements = convert(bytes) { (bits: UInt32) in Float(bitPattern: bits) }
        case .float16: elements = convert(bytes) { (bits: UInt16) in Float(Float16(bitPattern: bits)) }
        case .bfloat16: elements = convert(bytes) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .float64: elements = convert(bytes) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .int64, .int32, .int16, .int8, .uint8, .uint16, .uint32, .uint64, .bool:
            throw SafetensorsError(
                .conversion,
                path: path,
                tensor: name,
                "has the data type \(entry.dataType.rawValue), expected F64, F32, F16 or BF16"
            )
        }
        return Tensor(shape: entry.shape, elements: elements)
    }

    /// The elements of an integer or BOOL tensor in row-major order; booleans as 0 and 1.
    ///
    /// Throws `SafetensorsError` when the tensor is missing, holds floating-point numbers, has a U64 element above
    /// `Int64.max`, or a BOOL element other than 0 and 1.
    public func integers(_ name: String) throws(SafetensorsError) -> [Int64] {
        let entry = try entry(name)
        let bytes = bytes(of: entry)
        func refuse(_ message: String) -> SafetensorsError {
            SafetensorsError(.conversion, path: path, tensor: name, message)
        }
        switch entry.dataType {
        case .int64: return convert(bytes) { (value: Int64) in value }
        case .int32: return convert(bytes) { (value: Int32) in Int64(value) }
        case .int16: return convert(bytes) { (value: Int16) in Int64(value) }
        case .int8: return convert(bytes) { (value: Int8) in Int64(value) }
        case .uint8: return convert(bytes) { (value: UInt8) in Int64(value) }
        case .uint16: return convert(bytes) { (value: UInt16) in Int64(value) }
        case .uint32: return convert(bytes) { (value: UInt32) in Int64(value) }
        case .uint64:
            let values = convert(bytes) { (value: UInt64) in Int64(bitPattern: value) }
            guard values.allSatisfy({ $0 >= 0 }) else { throw refuse("has an element above \(Int64.max)") }
            return values
        case .bool:
            let values = convert(bytes) { (value: UInt8) in Int64(value) }
            guard values.allSatisfy({ $0 <= 1 }) else { throw refuse("has a BOOL element other than 0 and 1") }
            return values
        case .float64, .float32, .float16, .bfloat16:
            throw refuse("has the data type \(entry.dataType.rawValue), expected an integer type or BOOL")
        }
    }
}

/// Reads little-endian numbers that need not be aligned.
private func convert<Stored: FixedWidthInteger & BitwiseCopyable, Element>(
    _ bytes: UnsafeRawBufferPointer,
    _ element: (Stored) -> Element
) -> [Element] {
    let stride = MemoryLayout<Stored>.size
    let elementCount = bytes.count / stride
    return [Element](unsafeUninitializedCapacity: elementCount) { elements, count in
        for index in 0..<elementCount {
            let stored = Stored(littleEndian: bytes.loadUnaligned(fromByteOffset: index * stride, as: Stored.self))
            elements.initializeElement(at: index, to: element(stored))
        }
        count = elementCount
    }
}
