import ChoirTensor
import Foundation

/// The fields of one configuration of a checkpoint, under the names that diffusers and transformers write.
///
/// Each is checked where it is read, so that an error names the file and the field. A single-file checkpoint has no
/// configuration; its fields are inferred and have the same names, so a model reads both in the same way.
public struct ConfigurationFields: Hashable, Sendable {
    /// The file, or the checkpoint that the fields were inferred from; the start of every error.
    public let path: String

    private let fields: [String: JSONValue]

    /// What stands before the name of a field in errors: the objects that it lies in.
    private let prefix: String

    /// No configuration is longer, in bytes.
    static let maximumByteCount = 16 << 20

    /// Reads a JSON file whose outermost value is an object.
    public init(path: String) throws(ModelError) {
        let mapping: MappedFile
        do {
            mapping = try MappedFile(path: path)
        } catch {
            throw ModelError(path, "cannot \(error.operation) the configuration: \(error.reason)")
        }
        guard mapping.bytes.count <= Self.maximumByteCount else {
            throw ModelError(
                path, "the configuration has \(mapping.bytes.count) bytes, expected at most \(Self.maximumByteCount)")
        }
        try self.init(path: path, json: [UInt8](mapping.bytes))
    }

    /// Parses JSON text whose outermost value is an object; `path` is for errors.
    public init(path: String, json: [UInt8]) throws(ModelError) {
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(json))
        } catch {
            let reason = (error as? DecodingError)?.sentence ?? "\(error)"
            throw ModelError(path, "cannot read the configuration: \(reason)")
        }
        guard case .object(let fields) = value else {
            throw ModelError(path, "expected a JSON object, found \(value)")
        }
        self.init(path: path, fields: fields)
    }

    /// Takes fields that were inferred.
    public init(path: String, fields: [String: JSONValue]) { self.init(path: path, prefix: "", fields: fields) }

    private init(path: String, prefix: String, fields: [String: JSONValue]) {
        self.path = path
        self.prefix = prefix
        self.fields = fields
    }

    /// The names of all fields, sorted.
    var names: [String] { fields.keys.sorted() }

    /// The fields of an object that is a field of this one; nil when it is absent.
    func object(_ name: String) throws(ModelError) -> ConfigurationFields? {
        guard let value = self[name] else { return nil }
        guard case .object(let members) = value else { throw error(name, expected: "an object") }
        return ConfigurationFields(path: path, prefix: "\(prefix)\(name).", fields: members)
    }

    /// Refuses fields that mean nothing, which may be misspelt ones that mean something.
    func refuseOthers(than known: [String]) throws(ModelError) {
        guard let unknown = names.first(where: { !known.contains($0) }) else { return }
        let names = known.joined(separator: ", ")
        throw ModelError(path, "\(prefix)\(unknown.prefix(80)): this field is not known, expected \(names)")
    }

    /// A field; nil when it is absent or null.
    public subscript(name: String) -> JSONValue? {
        guard let value = fields[name], value != .null else { return nil }
        return value
    }

    /// Whether a field is there and not null.
    public func has(_ name: String) -> Bool { self[name] != nil }

    /// An error about one field.
    public func error(_ name: String, expected: String) -> ModelError {
        guard let value = self[name] else {
            return ModelError(path, "\(prefix)\(name) is missing, expected \(expected)")
        }
        return ModelError(path, "\(prefix)\(name): found \(value), expected \(expected)")
    }

    /// An integer within a range.
    ///
    /// - Parameter absent: What a file without the field means; nil when the field must be there.
    public func integer(_ name: String, in range: ClosedRange<Int>, absent: Int? = nil) throws(ModelError) -> Int {
        if self[name] == nil, let absent { return absent }
        guard case .integer(let value)? = self[name], range.contains(value) else {
            throw error(name, expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A number within a range.
    public func number(
        _ name: String, in range: ClosedRange<Double>, absent: Double? = nil
    ) throws(ModelError) -> Double {
        let value: Double
        switch self[name] {
        case .integer(let integer): value = Double(integer)
        case .number(let number): value = number
        case nil where absent != nil: return absent ?? 0
        default: throw error(name, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        guard range.contains(value) else {
            throw error(name, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// True or false.
    public func flag(_ name: String, absent: Bool? = nil) throws(ModelError) -> Bool {
        if self[name] == nil, let absent { return absent }
        guard case .flag(let value)? = self[name] else { throw error(name, expected: "true or false") }
        return value
    }

    /// One of the texts that are known.
    public func choice(_ name: String, of known: [String], absent: String? = nil) throws(ModelError) -> String {
        if self[name] == nil, let absent { return absent }
        guard case .string(let value)? = self[name], known.contains(value) else {
            throw error(name, expected: known.map { "\"\($0)\"" }.joined(separator: " or "))
        }
        return value
    }

    /// Any text.
    public func string(_ name: String, absent: String? = nil) throws(ModelError) -> String {
        if self[name] == nil, let absent { return absent }
        guard case .string(let value)? = self[name] else { throw error(name, expected: "a text") }
        return value
    }

    /// An object of texts, such as the map of an index of shards.
    public func texts(_ name: String) throws(ModelError) -> [String: String] {
        guard case .object(let members)? = self[name] else { throw error(name, expected: "an object of texts") }
        var texts: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else {
                throw ModelError(path, "\(name).\(key): found \(value), expected a text")
            }
            texts[key] = text
        }
        return texts
    }

    /// A list of integers within a range.
    ///
    /// - Parameters:
    ///   - name: The field.
    ///   - count: How many there must be.
    ///   - range: What each may be.
    ///   - absent: What a file without the field means.
    ///   - repeatsSingle: Whether one integer in place of the list stands for that many equal ones.
    public func integers(
        _ name: String, count: ClosedRange<Int>, in range: ClosedRange<Int>, absent: [Int]? = nil,
        repeatsSingle: Bool = false
    ) throws(ModelError) -> [Int] {
        let expected =
            "a list of \(count.lowerBound)\(count.count > 1 ? " to \(count.upperBound)" : "") integers "
            + "from \(range.lowerBound) to \(range.upperBound)"
        switch self[name] {
        case nil where absent != nil: return absent ?? []
        case .integer(let value) where repeatsSingle && count.count == 1 && range.contains(value):
            return [Int](repeating: value, count: count.lowerBound)
        case .list(let values) where count.contains(values.count):
            var integers: [Int] = []
            for case .integer(let value) in values where range.contains(value) { integers.append(value) }
            guard integers.count == values.count else { throw error(name, expected: expected) }
            return integers
        default: throw error(name, expected: expected)
        }
    }

    /// A list of texts that are known.
    public func choices(
        _ name: String, count: ClosedRange<Int>, of known: [String], absent: [String]? = nil
    ) throws(ModelError) -> [String] {
        if self[name] == nil, let absent { return absent }
        guard case .list(let values)? = self[name], count.contains(values.count) else {
            throw error(
                name,
                expected: "a list of \(count.lowerBound)\(count.count > 1 ? " to \(count.upperBound)" : "") texts")
        }
        var texts: [String] = []
        for (index, value) in values.enumerated() {
            guard case .string(let text) = value, known.contains(text) else {
                throw ModelError(
                    path,
                    "\(name).\(index): found \(value), expected \(known.map { "\"\($0)\"" }.joined(separator: " or "))")
            }
            texts.append(text)
        }
        return texts
    }
}
