import ChoirTensor
import Foundation
import Testing

@Suite struct SafetensorsFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
        try SafetensorsFile(path: directory.write(bytes))
    }

    private func error(of bytes: [UInt8]) throws -> SafetensorsError {
        let path = try directory.write(bytes)
        return try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
    }

    @Test func `floating-point types become Float`() throws {
        let file = try open(SafetensorsFixture.everyDataType())
        #expect(try file.floats("t.F32") == Tensor(shape: [2], elements: [1.5, -0.1]))
        #expect(try file.floats("t.F16").elements == [1, -0x1p-24])
        #expect(try file.floats("t.BF16").elements == [1, -123.5])
        #expect(try file.floats("t.F64").elements == [Float(1.0 / 3), -.infinity])
    }

    @Test(arguments: [
        ("t.I64", [Int64.min, Int64.max]), ("t.I32", [Int64(Int32.min), 5]), ("t.I16", [-32768, 6]),
        ("t.I8", [-128, 7]), ("t.U8", [255, 8]), ("t.U16", [65535, 9]), ("t.U32", [4_294_967_295, 10]),
        ("t.U64", [Int64.max, 11]), ("t.BOOL", [0, 1]),
    ])
    func `integer types become Int64`(name: String, expected: [Int64]) throws {
        #expect(try open(SafetensorsFixture.everyDataType()).integers(name) == expected)
    }

    @Test func `every half-precision number is widened exactly`() throws {
        let data = (0...UInt16.max).flatMap { SafetensorsFixture.littleEndian($0) }
        let header = #"{"a":{"dtype":"F16","shape":[256,256],"data_offsets":[0,131072]}}"#
        let tensor = try open(SafetensorsFixture.bytes(header: header, data: data)).floats("a")
        for (bits, found) in tensor.elements.enumerated() {
            let (exponent, fraction) = (bits >> 10 & 31, Double(bits & 1023))
            let magnitude =
                switch exponent {
                case 0: fraction * 0x1p-24
                case 31: fraction == 0 ? Double.infinity : .nan
                default: (1024 + fraction) * pow(2, Double(exponent) - 25)
                }
            let expected = bits < 32768 ? magnitude : -magnitude
            if magnitude.isNaN ? !found.isNaN : Double(found) != expected {
                Issue.record("bits \(bits): found \(found), expected \(expected)")
            }
        }
    }

    @Test func `entries, names and metadata describe the file`() throws {
        let bytes = SafetensorsFixture.everyDataType()
        let file = try open(bytes)
        #expect(file.metadata == ["format": "pt", "note": "café \"x\""])
        #expect(file.names == DataType.allCases.map { "t.\($0.rawValue)" })
        var end = try #require(file.tensors[file.names[0]]).fileRange.lowerBound
        for (name, dataType) in zip(file.names, DataType.allCases) {
            let entry = try file.entry(name)
            #expect(entry.name == name && entry.dataType == dataType && entry.shape == [2])
            #expect(entry.fileRange == end..<(end + 2 * dataType.byteCount))
            end = entry.fileRange.upperBound
            let span = file.withBytes(of: entry) { span in
                (0..<span.byteCount).map { span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
            }
            #expect(span == Array(bytes[entry.fileRange]))
        }
        #expect(end == bytes.count)
    }

    @Test(arguments: [
        (#"{}"#, 0), (#"{ }   "#, 0), (#"{"__metadata__":{}}"#, 0),
        (#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, 4),
        (#"{"a":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0]}}"#, 0),
        ("{ \"a\" :\n{ \"shape\" : [ 1 , 1 ] ,\t\"data_offsets\" : [ 0 , 1 ],\r\"dtype\" : \"U8\" } }  ", 1),
        (
            #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
            2
        ),
        (
            #"{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\ud83c\udf0c\n":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}"#,
            1
        ),
    ])
    func `unusual but valid headers are accepted`(header: String, dataCount: Int) throws {
        let file = try open(SafetensorsFixture.bytes(header: header, data: [UInt8](repeating: 0, count: dataCount)))
        #expect(file.names.count == file.tensors.count)
        #expect(file.tensors.values.allSatisfy { $0.fileRange.upperBound <= file.mapping.bytes.count })
    }

    @Test(arguments: [
        ("", "expected \"{\""), ("[]", "expected \"{\""), (" {}", "expected \"{\""), ("{", "expected a string"),
        ("{}x", "expected the end of the header"), ("{}{}", "expected the end of the header"),
        (#"{"a":1}"#, "expected \"{\""), (#"{"a":{}}"#, "lacks"), (#"{"__metadata__":{"a":1}}"#, "expected a string"),
        (#"{"__metadata__":{"a":"1","a":"2"}}"#, "duplicate key \"a\""),
        (#"{"__metadata__":{},"__metadata__":{}}"#, "duplicate key \"__metadata__\""),
        (
            #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
            "duplicate key \"a\""
        ),
        (#"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#, "duplicate key \"dtype\""),
        (#"{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}"#, "duplicate key \"shape\""),
        (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"extra":0}}"#, "unknown key \"extra\""),
        (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}"#, "lacks"),
        (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}"#, "at most 2 numbers"),
        (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, "non-negative"),
        (#"{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#, "expected \"]\""),
        (#"{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}"#, "leading zeros"),
        (#"{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}"#, "63 bits"),
        (#"{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}"#, "63 bits"),
        (#"{"a":{"dtype":"U8","shape":[0,],"data_offsets":[0,0]}}"#, "non-negative"),
        (#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},}"#, "expected a string"),
        (#"{"\x":0}"#, "unknown escape"), (#"{"\u12g4":0}"#, "hexadecimal"), (#"{"\ud800":0}"#, "surrogate"),
        (#"{"\udc00":0}"#, "surrogate"), (#"{"\ud800\u0041":0}"#, "surrogate"), ("{\"a\nb\":0}", "control character"),
        (#"{"a"#, "end of a string"), (#"{"a\"#, "unknown escape"),
    ])
    func `a malformed header is refused with its reason`(header: String, reason: String) throws {
        let error = try error(of: SafetensorsFixture.bytes(header: header, data: []))
        #expect(error.code == .header)
        #expect(error.description.contains(reason), "\(error)")
        #expect(error.description.contains(directory.path))
    }

    @Test func `deep nesting is refused without deep recursion`() throws {
        for opening in ["[", "{\"a\":"] {
            let nested = #"{"a":{"dtype":"U8","shape":"# + String(repeating: opening, count: 1_000_000)
            #expect(try error(of: SafetensorsFixture.bytes(header: nested, data: [])).code == .header)
        }
        let rank = Array(repeating: "1", count: 65).joined(separator: ",")
        let header = #"{"a":{"dtype":"U8","shape":[\#(rank)],"data_offsets":[0,1]}}"#
        #expect(try error(of: SafetensorsFixture.bytes(header: header, data: [0])).message.contains("at most 64"))
    }

    @Test func `text that is not UTF-8 is refused`() throws {
        let header: [UInt8] = Array("{\"".utf8) + [0xC3, 0x28] + Array("\":{}}".utf8)
        let error = try error(of: SafetensorsFixture.littleEndian(UInt64(header.count)) + header)
        #expect(error.message.contains("UTF-8"))
    }

    @Test(arguments: [
        (#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1, SafetensorsError.Code.dataType, "F8_E4M3"),
        (#"{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}"#, 4, .dataType, "f32"),
        (#"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0, .shape, "too many elements"),
        (#"{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#, 0, .shape, "too many bytes"),
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}"#, 2, .offsets, "ascending"),
        (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, 2, .offsets, "ascending pair up to 2"),
        (
            #"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#, 2, .offsets,
            "ascending pair up to 2"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}"#, 3, .offsets,
            "has 3 bytes, expected 4 for F32 [1]"
        ),
        (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#, 3, .offsets, "begins at offset 1, expected 0"),
        (
            #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
            3,
            .offsets, "begins at offset 1, expected 2"
        ),
        (
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#,
            3,
            .offsets, "begins at offset 2, expected 1"
        ),
        (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 2, .offsets, "expected"),
        (#"{}"#, 1, .offsets, "expected"),
    ])
    func `a lying header is refused with tensor and reason`(
        header: String,
        dataCount: Int,
        code: SafetensorsError.Code,
        reason: String
    ) throws {
        let data = [UInt8](repeating: 0, count: dataCount)
        let error = try error(of: SafetensorsFixture.bytes(header: header, data: data))
        #expect(error.code == code)
        #expect(error.description.contains(reason), "\(error)")
    }

    @Test(arguments: [UInt64(3), 100_000_001, UInt64(Int64.max), UInt64.max, UInt64.max - 7])
    func `a header length beyond the file or the limit is refused`(length: UInt64) throws {
        let error = try error(of: SafetensorsFixture.bytes(header: "{}", data: [], headerByteCount: length))
        #expect(error.code == .header)
        #expect(error.message.contains("\(length)"))
    }

    @Test func `a header above the limit is refused even when the file has it`() throws {
        let path = directory.file("sparse")
        try Data(SafetensorsFixture.littleEndian(UInt64(100_000_001))).write(to: URL(fileURLWithPath: path))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: 200_000_000)
        try handle.close()
        let error = try #require(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
        #expect(error.code == .header && error.message.contains("100000001"))
    }

    @Test(arguments: 0..<8)
    func `a file shorter than the header length is refused`(count: Int) throws {
        let error = try error(of: [UInt8](repeating: 0, count: count))
        #expect(error.message.contains("the file has \(count) bytes"))
    }

    @Test(arguments: [[0x50, 0x4B, 0x03, 0x04], [0x80, 0x02, 0x8A, 0x0A]] as [[UInt8]])
    func `a file of PyTorch is refused as one`(start: [UInt8]) throws {
        let error = try error(of: start + [UInt8](repeating: 0x6C, count: 60))
        #expect(error.code == .header && error.message.contains("is a file of PyTorch"))
    }

    @Test func `reading as the wrong kind of number names tensor and type`() throws {
        let file = try open(SafetensorsFixture.everyDataType())
        let notFloat = try #require(throws: SafetensorsError.self) { try file.floats("t.I32") }
        #expect(notFloat.code == .conversion && notFloat.description.contains("\"t.I32\": has the data type I32"))
        let notInteger = try #require(throws: SafetensorsError.self) { try file.integers("t.BF16") }
        #expect(notInteger.code == .conversion && notInteger.message.contains("BF16"))
        let missing = try #require(throws: SafetensorsError.self) { try file.floats("t.Q4") }
        #expect(missing.code == .missingTensor && missing.tensor == "t.Q4")
    }

    @Test func `numbers that do not fit are refused`() throws {
        let header =
            #"{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"BOOL","shape":[1],"data_offsets":[8,9]}}"#
        let file = try open(SafetensorsFixture.bytes(header: header, data: [UInt8](repeating: 0xFF, count: 9)))
        #expect(throws: SafetensorsError.self) { try file.integers("a") }
        #expect(throws: SafetensorsError.self) { try file.integers("b") }
    }
}
