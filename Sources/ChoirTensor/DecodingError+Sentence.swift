extension DecodingError {
    /// Which field is wrong and why, without the names of types around it.
    package var sentence: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(Self.place(context.codingPath + [key])) is missing"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            // Foundation on Linux says the same of a number that its field cannot hold, without the field.
            "it is no JSON, or a number in it does not fit its field"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? context.debugDescription : "\(Self.place(context.codingPath)): \(context.debugDescription)"
        @unknown default: "\(self)"
        }
    }

    /// Such as `network.widths.2`.
    private static func place(_ path: [any CodingKey]) -> String {
        path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
}
