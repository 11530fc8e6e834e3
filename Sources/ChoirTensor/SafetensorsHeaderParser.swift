/// A strict parser for the JSON header of a safetensors file.
///
/// The header has one fixed structure, so this accepts exactly that: an object of tensor records and the optional
/// `__metadata__` object of strings. Nothing nests deeper, hence there is no recursion. Unlike general JSON readers it
/// sees duplicate keys and keeps integers exact.
struct SafetensorsHeaderParser {
    /// A tensor record as written; nothing is validated but the JSON structure.
    struct Record {
        var name: String
        var dataType: String
        var dimensions: [Int]
        var begin: Int
        var end: Int
    }

    /// What is wrong, and at which byte of the header.
    struct Failure: Error {
        var offset: Int
        var message: String
    }

    /// The tensor records in the order of the text.
    private(set) var records: [Record] = []

    /// The `__metadata__` object; empty when there is none.
    private(set) var metadata: [String: String] = [:]

    private static let maximumRank = 64

    private let text: [UInt8]
    private var position = 0

    /// Parses the whole header, which may end in white space.
    init(_ text: [UInt8]) throws(Failure) {
        self.text = text
        // The format demands that the object begins at the first byte.
        guard text.first == UInt8(ascii: "{") else { throw failure("expected \"{\"") }
        var names: Set<String> = []
        try parseObject { (parser, name) throws(Failure) in
            guard names.insert(name).inserted else { throw parser.failure("duplicate key \"\(name)\"") }
            if name == "__metadata__" {
                try parser.parseMetadata()
            } else {
                try parser.parseRecord(named: name)
            }
        }
        skipWhiteSpace()
        guard position == text.count else { throw failure("expected the end of the header") }
    }

    private mutating func parseMetadata() throws(Failure) {
        var metadata: [String: String] = [:]
        try parseObject { (parser, key) throws(Failure) in
            let value = try parser.parseString()
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw parser.failure("duplicate key \"\(key)\" in \"__metadata__\"")
            }
        }
        self.metadata = metadata
    }

    private mutating func parseRecord(named name: String) throws(Failure) {
        var dataType: String?
        var dimensions: [Int]?
        var offsets: [Int]?
        try parseObject { (parser, key) throws(Failure) in
            switch key {
            case "dtype" where dataType == nil: dataType = try parser.parseString()
            case "shape" where dimensions == nil:
                dimensions = try parser.parseIntegers(atMost: SafetensorsHeaderParser.maximumRank)
            case "data_offsets" where offsets == nil: offsets = try parser.parseIntegers(atMost: 2)
            case "dtype", "shape", "data_offsets":
                throw parser.failure("duplicate key \"\(key)\" in tensor \"\(name)\"")
            default: throw parser.failure("unknown key \"\(key)\" in tensor \"\(name)\"")
            }
        }
        guard let dataType, let dimensions, let offsets, offsets.count == 2 else {
            throw failure("tensor \"\(name)\" lacks \"dtype\", \"shape\" or two \"data_offsets\"")
        }
        records.append(
            Record(name: name, dataType: dataType, dimensions: dimensions, begin: offsets[0], end: offsets[1])
        )
    }

    /// Parses an object; `member` is called after each key and colon and must consume the value.
    private mutating func parseObject(
        _ member: (inout SafetensorsHeaderParser, String) throws(Failure) -> Void
    ) throws(Failure) {
        try expect("{")
        if consume("}") { return }
        repeat {
            skipWhiteSpace()
            let key = try parseString()
            try expect(":")
            skipWhiteSpace()
            try member(&self, key)
        } while consume(",")
        try expect("}")
    }

    private mutating func parseIntegers(atMost limit: Int) throws(Failure) -> [Int] {
        try expect("[")
        if consume("]") { return [] }
        var integers: [Int] = []
        repeat {
            guard integers.count < limit else { throw failure("expected at most \(limit) numbers in the list") }
            skipWhiteSpace()
            integers.append(try parseInteger())
        } while consume(",")
        try expect("]")
        return integers
    }

    private mutating func parseInteger() throws(Failure) -> Int {
        let start = position
        var value = 0
        while let digit = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { throw failure("the number does not fit in 63 bits") }
            value = sum
            position += 1
        }
        guard position > start else { throw failure("expected a non-negative whole number") }
        guard text[start] != UInt8(ascii: "0") || position == start + 1 else {
            throw failure("expected a number without leading zeros")
        }
        return value
    }

    private mutating func parseString() throws(Failure) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw failure("expected a string") }
        position += 1
        var bytes: [UInt8] = []
        while let byte = peek(), byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("expected no control character in a string") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                try parseEscape(into: &bytes)
            } else {
                bytes.append(byte)
            }
        }
        guard peek() != nil else { throw failure("expected the end of a string") }
        position += 1
        guard let string = String(validating: bytes, as: UTF8.self) else { throw failure("a string is not UTF-8") }
        return string
    }

    private mutating func parseEscape(into bytes: inout [UInt8]) throws(Failure) {
        let escape = peek()
        position += 1
        switch escape.map({ Character(Unicode.Scalar($0)) }) {
        case "\"", "\\", "/": bytes.append(text[position - 1])
        case "b": bytes.append(0x08)
        case "f": bytes.append(0x0C)
        case "n": bytes.append(0x0A)
        case "r": bytes.append(0x0D)
        case "t": bytes.append(0x09)
        case "u":
            var units = [try parseCodeUnit()]
            if UTF16.isLeadSurrogate(units[0]) {
                guard peek() == UInt8(ascii: "\\") else { throw failure("expected a surrogate pair") }
                position += 1
                guard peek() == UInt8(ascii: "u") else { throw failure("expected a surrogate pair") }
                position += 1
                units.append(try parseCodeUnit())
            }
            guard let character = String(validating: units, as: UTF16.self) else {
                throw failure("expected a surrogate pair")
            }
            bytes.append(contentsOf: character.utf8)
        default: throw failure("unknown escape in a string")
        }
    }

    private mutating func parseCodeUnit() throws(Failure) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    private func peek() -> UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipWhiteSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func consume(_ token: Unicode.Scalar) -> Bool {
        skipWhiteSpace()
        guard peek() == UInt8(ascii: token) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ token: Unicode.Scalar) throws(Failure) {
        guard consume(token) else { throw failure("expected \"\(token)\"") }
    }

    private func failure(_ message: String) -> Failure { Failure(offset: position, message: message) }
}
