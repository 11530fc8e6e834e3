public import ChoirSampling

/// A set of pictures whose sides match.
public struct TileSetRequest: Hashable, Sendable {
    /// The pictures, in the order that everything is done in.
    public var images: [TileImage]

    /// The size of every picture, in pixels. Each picture is denoised as one tile with its padding.
    public var size: PixelSize

    /// Pixels beyond a constrained side that a picture sees of its partners. More is smoother, and costs more. A strip is no
    /// wider, and does not follow a change: see `init`.
    public var padding: Int

    /// Pixels inside of a side over which pictures of which any must join fade from what is the same into their own.
    public var strip: Int

    /// Steps at the full size; nil for what the model does best.
    public var steps: Int?

    /// Scale of classifier-free guidance; nil for what the model does best.
    public var guidance: Double?

    /// The step rule; nil for the model's.
    public var sampler: SamplerKind?

    /// The most pictures in a set.
    public static let maximumCount = 64

    /// The longest side of a picture, in pixels.
    public static let maximumSide = 2048

    /// A set, with strips of three quarters of the padding, or a quarter of the picture where that is less.
    ///
    /// Wide strips hide that many pictures share them, and leave less to each: in those of 16 pixels at 512 x 512 their ends
    /// were seen as steps, in those of 48 hardly.
    ///
    /// - Parameter padding: nil for 64 pixels, or half the picture where that is less.
    public init(images: [TileImage], size: PixelSize, padding: Int? = nil) {
        self.images = images
        self.size = size
        let shorter = min(size.width, size.height)
        self.padding = padding ?? max(8, min(64, shorter / 2))
        strip = max(1, min(self.padding / 4 * 3, shorter / 4))
    }

    /// Checks what can be checked without a model.
    ///
    /// - Throws: `RequestError` that names the first property out of its range.
    public func validate() throws(RequestError) {
        for (name, side) in [("width", size.width), ("height", size.height)] {
            try check(name, side, in: 64...Self.maximumSide)
        }
        try check("number of pictures", images.count, in: 1...Self.maximumCount)
        let shorter = min(size.width, size.height)
        try check("padding", padding, in: 8...shorter / 2)
        try check("strip", strip, in: 1...min(padding, shorter / 4))
        for image in images { try validate(image) }
        guard Set(images.map(\.name)).count == images.count else {
            throw RequestError("name", found: "the same name twice", expected: "one of its own for each picture")
        }
        guard images.contains(where: { !$0.sides.isEmpty }) else {
            throw RequestError("sides", found: "none", expected: "at least one side that must join another")
        }
        // Steps, guidance and the rest are checked as those of any painting.
        var painting = PaintRequest(prompt: "", size: size)
        (painting.steps, painting.guidance) = (steps, guidance)
        try painting.validate()
    }

    private func validate(_ image: TileImage) throws(RequestError) {
        let isPlain = image.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
        guard isPlain, (1...64).contains(image.name.count) else {
            throw RequestError(
                "name", found: image.name, expected: "1 to 64 letters, digits, - and _, as it becomes a file")
        }
        for text in [image.prompt, image.negativePrompt] where text.utf8.count > PaintRequest.maximumPromptLength {
            throw RequestError(
                "prompt of \(image.name)", found: "\(text.utf8.count) bytes",
                expected: "at most \(PaintRequest.maximumPromptLength)")
        }
        for side in TileSide.allCases {
            guard let label = image.sides[side] else { continue }
            try check("side id of \(image.name)", label.id, in: 0...1_000_000)
            let partners = images.flatMap { other in other.sides.filter { $0.value.joins(label) }.keys }
            guard !partners.isEmpty else {
                throw RequestError(
                    "sides", found: "nothing that joins the \(side.name) of \(image.name)",
                    expected: "a side with id \(label.id) and the other direction")
            }
            if size.width != size.height, partners.contains(where: { $0.isAlongX != side.isAlongX }) {
                throw RequestError(
                    "sides", found: "the \(side.name) of \(image.name) joined with a side of another length",
                    expected: "square pictures where left or right join top or bottom")
            }
        }
    }

    private func check(_ name: String, _ number: Int, in range: ClosedRange<Int>) throws(RequestError) {
        guard range.contains(number) else {
            throw RequestError(name, found: "\(number)", expected: "\(range.lowerBound) to \(range.upperBound)")
        }
    }
}
