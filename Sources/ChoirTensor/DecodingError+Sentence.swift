extension DecodingError {
    /// Which field is wrong and why, without the names of types around it.
    package var sentence: String {
        switch self {
        case .keyNotFound(let key, let context): Self.place(context, key) + "is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            Self.place(context) + context.debugDescription
        @unknown default: "\(self)"
        }
    }

    /// Such as `network.widths.2: `, or nothing for the whole text.
    private static func place(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
        let names = (context.codingPath + (last.map { [$0] } ?? [])).map { $0.intValue.map(String.init) ?? $0.stringValue }
        return names.isEmpty ? "" : names.joined(separator: ".") + ": "
    }
}
