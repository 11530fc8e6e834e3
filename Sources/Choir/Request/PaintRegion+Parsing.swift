extension PaintRegion {
    /// A region from text: `PROMPT@x,y,w,h`, and after it any of `;feather=`, `;guidance=`, `;seed=` and `;negative=`.
    ///
    /// The last `@` before four numbers counts, so a prompt may hold one. `;` ends a setting, so a negative prompt
    /// cannot hold one.
    ///
    /// - Throws: `RequestError` that says what was found in place of this form.
    public init(parsing text: String) throws(RequestError) {
        var end = text.endIndex
        while let sign = text[..<end].lastIndex(of: "@") {
            let settings = text[text.index(after: sign)...].split(separator: ";", omittingEmptySubsequences: false)
            if let rectangle = PictureRectangle(parsing: settings[0]) {
                self.init(RegionContent(prompt: String(text[..<sign])), in: rectangle)
                for setting in settings.dropFirst() { try set(setting) }
                return
            }
            end = sign
        }
        throw RequestError(
            "region", found: text,
            expected: "a prompt, @ and four numbers, such as red nebula@0,0,0.5,1, and then ;feather=, ;guidance=, "
                + ";seed= or ;negative=")
    }

    private mutating func set(_ setting: Substring) throws(RequestError) {
        let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let (name, value) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        switch name {
        case "feather": feather = try Self.number(value, Double.init, name, "a number from 0 to 1")
        case "guidance": content.guidance = try Self.number(value, Double.init, name, "a number from 0 to 30")
        case "seed": content.seed = try Self.number(value, { UInt64($0) }, name, "a whole number from 0")
        case "negative": content.negativePrompt = value
        default:
            throw RequestError(
                "region", found: "the setting \(setting)", expected: "feather=, guidance=, seed= or negative=")
        }
    }

    private static func number<Number>(
        _ text: String, _ make: (String) -> Number?, _ name: String, _ expected: String
    ) throws(RequestError) -> Number {
        guard let number = make(text) else {
            throw RequestError("region, \(name)", found: text.isEmpty ? "nothing" : text, expected: expected)
        }
        return number
    }
}

extension Reseed {
    /// A rectangle and its seed from text: `x,y,w,h:SEED`.
    ///
    /// - Throws: `RequestError` that says what was found in place of this form.
    public init(parsing text: String) throws(RequestError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let rectangle = PictureRectangle(parsing: parts[0]), let seed = UInt64(parts[1]) else {
            throw RequestError("reseed", found: text, expected: "x,y,w,h:SEED such as 0.5,0.5,0.25,0.25:7")
        }
        self.init(rectangle, seed: seed)
    }
}

extension PictureRectangle {
    /// A rectangle from `x,y,w,h`; nil for other text.
    fileprivate init?(parsing text: Substring) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Double($0.drop { $0 == " " })
        }
        guard numbers.count == 4, let x = numbers[0], let y = numbers[1], let width = numbers[2],
            let height = numbers[3]
        else { return nil }
        self.init(x: x, y: y, width: width, height: height)
    }
}
