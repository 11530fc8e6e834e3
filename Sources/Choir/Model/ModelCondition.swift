/// What a model can be told of a whole painting in numbers, beside the prompt, such as a class or a season.
public struct ModelCondition: Hashable, Sendable {
    /// The name that requests use.
    public var name: String

    /// How many numbers it takes.
    public var count: Int

    /// What each number may be.
    public var range: ClosedRange<Double>

    /// Whether each number is whole, such as the index of a class.
    public var isWhole: Bool

    /// The numbers where a request names none; nil if it must.
    public var absent: [Double]?

    /// A condition.
    public init(name: String, count: Int, range: ClosedRange<Double>, isWhole: Bool = false, absent: [Double]? = nil) {
        self.name = name
        self.count = count
        self.range = range
        self.isWhole = isWhole
        self.absent = absent
    }

    /// Checks what a request says of it.
    ///
    /// - Parameter numbers: The numbers; nil if it names none.
    /// - Throws: `RequestError` that names the condition.
    func check(_ numbers: [Double]?) throws(RequestError) {
        let field = "condition \(name)"
        let expected = count == 1 ? "a number" : "\(count) numbers"
        guard let numbers else {
            guard absent == nil else { return }
            throw RequestError(field, found: "none", expected: "\(expected), for which the model has no default")
        }
        guard numbers.count == count else { throw RequestError(field, found: "\(numbers.count)", expected: expected) }
        for number in numbers {
            guard range.contains(number), !isWhole || number == number.rounded() else {
                let kind = isWhole ? "a whole number" : "a number"
                throw RequestError(
                    field, found: "\(number)", expected: "\(kind) from \(range.lowerBound) to \(range.upperBound)")
            }
        }
    }
}
