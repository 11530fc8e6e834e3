/// A condition as text: `NAME=NUMBER`, or `NAME=NUMBER,NUMBER…`.
public struct ConditionArgument: Hashable, Sendable {
    /// The name of the condition.
    public var name: String

    /// Its numbers.
    public var numbers: [Double]

    /// Reads the text; the name ends at the last `=`.
    ///
    /// - Throws: `RequestError` that says what the text should look like.
    public init(parsing text: String) throws(RequestError) {
        let refusal = RequestError(
            "condition", found: String(text.prefix(200)), expected: "a name and numbers such as season=0.5,1")
        guard let equals = text.lastIndex(of: "="), equals > text.startIndex else { throw refusal }
        name = String(text[..<equals])
        numbers = []
        for part in text[text.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Double(part), number.isFinite else { throw refusal }
            numbers.append(number)
        }
    }
}
