import ChoirTensor

/// Builds safetensors bytes by hand, so that the reader is not only tested against our own writer.
enum SafetensorsFixture {
    static func bytes(header: String, data: [UInt8], headerByteCount: UInt64? = nil) -> [UInt8] {
        let header = Array(header.utf8)
        return littleEndian(headerByteCount ?? UInt64(header.count)) + header + data
    }

    static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    /// A valid file with one tensor of every data type, each `[2]`, in the order of `DataType.allCases`.
    static func everyDataType() -> [UInt8] {
        let payload: [DataType: [UInt8]] = [
            .float64: littleEndian((1.0 / 3).bitPattern) + littleEndian((-1e300).bitPattern),
            .float32: littleEndian(Float(1.5).bitPattern) + littleEndian(Float(-0.1).bitPattern),
            .float16: littleEndian(UInt16(0x3C00)) + littleEndian(UInt16(0x8001)),
            .bfloat16: littleEndian(UInt16(0x3F80)) + littleEndian(UInt16(0xC2F7)),
            .int64: littleEndian(Int64.min) + littleEndian(Int64.max),
            .int32: littleEndian(Int32.min) + littleEndian(Int32(5)),
            .int16: littleEndian(Int16.min) + littleEndian(Int16(6)),
            .int8: [0x80, 7],
            .uint8: [255, 8],
            .uint16: littleEndian(UInt16.max) + littleEndian(UInt16(9)),
            .uint32: littleEndian(UInt32.max) + littleEndian(UInt32(10)),
            .uint64: littleEndian(UInt64(Int64.max)) + littleEndian(UInt64(11)),
            .bool: [0, 1],
        ]
        var data: [UInt8] = []
        var members = [#""__metadata__":{"format":"pt","note":"caf\u00e9 \"x\""}"#]
        for dataType in DataType.allCases {
            let bytes = payload[dataType] ?? []
            let end = data.count + bytes.count
            let name = dataType.rawValue
            members.append(#""t.\#(name)":{"dtype":"\#(name)","shape":[2],"data_offsets":[\#(data.count),\#(end)]}"#)
            data += bytes
        }
        return bytes(header: "{\(members.joined(separator: ","))}", data: data)
    }
}
