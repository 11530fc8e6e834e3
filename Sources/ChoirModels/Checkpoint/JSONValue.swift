import Foundation

/// Any JSON value, as a configuration file has it before its fields are checked.
public enum JSONValue: Hashable, Sendable {
    /// `null`, which configurations write for "not set".
    case null
    /// `true` or `false`.
    case flag(Bool)
    /// A number without a fraction that an `Int` holds.
    case integer(Int)
    /// Any other number.
    case number(Double)
    /// A text.
    case string(String)
    /// A list.
    case list([JSONValue])
    /// An object.
    case object([String: JSONValue])
}

extension JSONValue: Decodable {
    /// Reads whatever value is there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value in the spelling of JSON, cut where it is long: for error messages.
    public var description: String {
        switch self {
        case .null: "null"
        case .flag(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(80))\""
        case .list(let values):
            "[\(values.prefix(8).map(\.description).joined(separator: ", "))\(values.count > 8 ? ", …" : "")]"
        case .object: "an object"
        }
    }
}
