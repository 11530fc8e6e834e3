/// What a part of a picture shows; what it leaves open is as in the rest.
public struct RegionContent: Hashable, Sendable, Codable {
    /// What the part shows, in place of the request's prompt.
    public var prompt: String

    /// What guidance leads away from; nil for the request's negative prompt.
    public var negativePrompt: String?

    /// Scale of classifier-free guidance, 0 ... 30; nil for the request's.
    public var guidance: Double?

    /// The seed of the part's noise; nil for the request's.
    public var seed: UInt64?

    /// A content.
    public init(prompt: String, negativePrompt: String? = nil, guidance: Double? = nil, seed: UInt64? = nil) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.guidance = guidance
        self.seed = seed
    }

    /// - Throws: `RequestError` with the name of what the content belongs to.
    func validate(_ name: String) throws(RequestError) {
        for (field, text) in [("prompt", prompt), ("negative prompt", negativePrompt ?? "")]
        where text.utf8.count > PaintRequest.maximumPromptLength {
            throw RequestError(
                "\(name), \(field)", found: "\(text.utf8.count) bytes",
                expected: "at most \(PaintRequest.maximumPromptLength)")
        }
        if let guidance, !(0...30).contains(guidance) {
            throw RequestError("\(name), guidance", found: "\(guidance)", expected: "a number from 0 to 30")
        }
    }
}

/// A rectangle of the picture with a prompt of its own.
///
/// Where rectangles overlap, the later one in the request wins. What none covers shows what the request's map says
/// there, or else its prompt.
public struct PaintRegion: Hashable, Sendable, Codable {
    /// What it shows.
    public var content: RegionContent

    /// Where it lies.
    public var rectangle: PictureRectangle

    /// How broad its soft border is, 0 ... 1 of the picture's shorter side. The border lies half inside, half outside.
    public var feather: Double

    /// What a region has unless it says otherwise.
    public static let standardFeather = 0.05

    /// A region.
    public init(_ content: RegionContent, in rectangle: PictureRectangle, feather: Double = standardFeather) {
        self.content = content
        self.rectangle = rectangle
        self.feather = feather
    }

    func validate(_ name: String) throws(RequestError) {
        try content.validate(name)
        try rectangle.validate(name)
        try Self.validate(feather: feather, name)
    }

    static func validate(feather: Double, _ name: String) throws(RequestError) {
        guard (0...1).contains(feather) else {
            throw RequestError("\(name), feather", found: "\(feather)", expected: "a number from 0 to 1")
        }
    }
}

/// A rectangle whose noise is drawn with another seed. The rest keeps its noise, cell by cell.
public struct Reseed: Hashable, Sendable, Codable {
    /// Where.
    public var rectangle: PictureRectangle

    /// The seed there.
    public var seed: UInt64

    /// A rectangle with a seed of its own.
    public init(_ rectangle: PictureRectangle, seed: UInt64) {
        self.rectangle = rectangle
        self.seed = seed
    }
}
