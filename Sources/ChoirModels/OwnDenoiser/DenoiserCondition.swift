/// An input of a denoiser of one's own beside sample and noise level: what it is told in every tile of a painting.
public struct DenoiserCondition: Hashable, Sendable {
    /// Where its numbers come from.
    public enum Source: Hashable, Sendable {
        /// The manifest: these numbers always.
        case constant([Double])

        /// The request; these numbers where it names none, or nil if it must.
        case request(absent: [Double]?)
    }

    /// The name of the graph's input.
    public let name: String

    /// Where its numbers come from.
    public let source: Source

    /// What a number of a request may be.
    public let range: ClosedRange<Double>

    /// What it is told in the prediction that guidance leads away from; nil for the same as in the other.
    public let unconditional: [Double]?

    /// The shape, for a graph that leaves it open; nil takes 1 for what the graph leaves open.
    public let shape: [Int]?

    /// The most numbers of one condition.
    public static let maximumCount = 65_536

    /// The largest magnitude of a number.
    public static let largest = 1e9

    /// Reads one condition; `fields` are those under its name.
    init(_ name: String, _ fields: ConfigurationFields) throws(ModelError) {
        try fields.refuseOthers(than: ["value", "default", "minimum", "maximum", "unconditional", "shape"])
        self.name = name
        let everything = -Self.largest...Self.largest
        if fields.has("value") {
            for field in ["default", "minimum", "maximum"] where fields.has(field) {
                throw fields.error(field, expected: "none beside value, which no request can change")
            }
            source = .constant(try Self.numbers("value", in: everything, of: fields))
            range = everything
        } else {
            let minimum = try fields.number("minimum", in: everything, absent: -Self.largest)
            range = minimum...(try fields.number("maximum", in: minimum...Self.largest, absent: Self.largest))
            source = .request(absent: fields.has("default") ? try Self.numbers("default", in: range, of: fields) : nil)
        }
        unconditional =
            fields.has("unconditional") ? try Self.numbers("unconditional", in: everything, of: fields) : nil
        if fields.has("shape") {
            let shape = try fields.integers("shape", count: 0...8, in: 1...Self.maximumCount)
            // Eight factors of at most 2^16 overflow no 128 bits, but an `Int`.
            let count = shape.reduce(1.0) { $0 * Double($1) }
            guard count <= Double(Self.maximumCount) else {
                throw fields.error("shape", expected: "at most \(Self.maximumCount) numbers in all")
            }
            self.shape = shape
        } else {
            shape = nil
        }
    }

    /// One number, or a list of them.
    private static func numbers(
        _ name: String, in range: ClosedRange<Double>, of fields: ConfigurationFields
    ) throws(ModelError) -> [Double] {
        let values: [JSONValue]
        if case .list(let list)? = fields[name] { values = list } else { values = fields[name].map { [$0] } ?? [] }
        var numbers: [Double] = []
        for value in values {
            switch value {
            case .integer(let integer): numbers.append(Double(integer))
            case .number(let number): numbers.append(number)
            default: break
            }
        }
        let areAllowed = numbers.count == values.count && numbers.allSatisfy(range.contains)
        guard areAllowed, (1...maximumCount).contains(numbers.count) else {
            throw fields.error(
                name,
                expected: "a number from \(range.lowerBound) to \(range.upperBound), or a list of 1 to \(maximumCount)")
        }
        return numbers
    }
}
