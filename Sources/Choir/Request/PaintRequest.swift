public import ChoirSampling

/// What to paint, and how. Every property but the prompt has a default; `nil` means "as the model does it best".
public struct PaintRequest: Hashable, Sendable, Codable {
    /// What the picture shows. May be empty: the model then paints what it likes.
    public var prompt: String

    /// What guidance leads away from; empty for the model's own idea of "nothing in particular".
    public var negativePrompt = ""

    /// At which layer of the text encoders prompts are read, counted from the last one, which is 1, as the "clip skip" of
    /// A1111's web interface; nil for the model's own, 1 for Stable Diffusion 1.x and 2.x and 2 for SDXL. For the former
    /// the `clip_skip` of diffusers is one less, for SDXL two less.
    public var clipSkip: Int?

    /// The share of the way from pure noise, above 0 and below 1, after which a refiner takes over at every size; nil for
    /// `usualHandOver`. Only for a model that has a refiner.
    public var handOver: Double?

    /// The size of the picture in pixels.
    public var size: PixelSize

    /// The seed of all noise. The same request with the same seed gives the same pixels.
    public var seed: UInt64 = 0

    /// Steps at the picture's full size, 1 ... 1000. Coarser scales take proportionally more, as the model defines.
    public var steps: Int?

    /// Scale of classifier-free guidance, 0 ... 30; 1 is off. It acts where the composition is made, and less on the
    /// finer scales of a model that has several.
    public var guidance: Double?

    /// The step rule.
    public var sampler: SamplerKind?

    /// Which noise levels the steps visit, for a model that was trained at some, as Stable Diffusion; nil for its own way.
    public var spacing: StepSpacing?

    /// How much noise DDIM adds again in each step, 0 ... 1; nil or 0 is none. Other samplers take none.
    public var eta: Double?

    /// A `.safetensors` file whose tensor `noise`, `[1, channels, height, width]` in cells of the first stage's canvas
    /// and of unit variance, the painting starts from in place of the noise of its seed.
    public var noise: String?

    /// Side of a tile in pixels.
    public var tile: Int?

    /// Pixels that neighbouring tiles share, at least.
    public var overlap: Int?

    /// How tiles listen to each other.
    public var bridges: [BridgeKind] = BridgeKind.standard

    /// The weights by which `consensus` merges; nil for `hann`.
    public var weights: ConsensusWeights?

    /// How much a stage is held near the picture that it refines, 0 ... 1; nil for 1, or 0 for a model whose tiles see
    /// that picture anyhow.
    public var skipResidual: Double?

    /// The directions in which opposite edges of the picture meet; nil for a picture that ends at its edges.
    public var tileable: WrappedAxes?

    /// Rectangles with prompts of their own; where they overlap, the later one wins. At most `maximumRegions`, together
    /// with the map's contents. Nil for none.
    public var regions: [PaintRegion]?

    /// Which part shows what, below the regions; nil if the prompt is for all.
    public var map: RegionMap?

    /// Rectangles with noise of another seed, over that of the regions; where they overlap, the later one wins. At most
    /// `maximumRegions`. Nil for none.
    public var reseeds: [Reseed]?

    /// What a model with `ModelTraits.conditions` is told in numbers, by their names; those that are not named are as
    /// the model has them. At most `maximumConditions`. Nil for none.
    public var conditions: [String: [Double]]?

    /// The most pixels that the longer side of a preview may have; one is sent after each step. Nil for none.
    public var previewSide: Int?

    /// A request for a picture.
    public init(prompt: String, size: PixelSize) {
        self.prompt = prompt
        self.size = size
    }

    /// The longest side that can be asked for, in pixels.
    public static let maximumSide = 1 << 20

    /// The longest prompt that can be asked for, in bytes of UTF-8.
    public static let maximumPromptLength = 16_384

    /// The most conditions, and the most numbers of one.
    public static let maximumConditions = (count: 64, numbers: 65_536)

    /// The most regions, and the most rectangles with a seed, that can be asked for.
    public static let maximumRegions = 64

    /// Where a refiner takes over if a request names no other share: the last fifth is what SDXL's was trained on (Podell
    /// et al. 2023, section 2.5).
    public static let usualHandOver = 0.8

    /// Checks what can be checked without a model.
    ///
    /// - Throws: `RequestError` that names the first property out of its range.
    public func validate() throws(RequestError) {
        for (name, side) in [("width", size.width), ("height", size.height)] {
            try check(name, side, in: 16...Self.maximumSide)
        }
        for (name, text) in [("prompt", prompt), ("negative prompt", negativePrompt)]
        where text.utf8.count > Self.maximumPromptLength {
            throw RequestError(name, found: "\(text.utf8.count) bytes", expected: "at most \(Self.maximumPromptLength)")
        }
        if let steps { try check("steps", steps, in: 1...1000) }
        if let tile { try check("tile", tile, in: 64...4096) }
        if let overlap { try check("overlap", overlap, in: 0...2048) }
        if let previewSide { try check("preview side", previewSide, in: 16...4096) }
        if let guidance, !(0...30).contains(guidance) {
            throw RequestError("guidance", found: "\(guidance)", expected: "a number from 0 to 30")
        }
        if let clipSkip { try check("clip skip", clipSkip, in: 1...256) }
        if let handOver, !(handOver > 0 && handOver < 1) {
            throw RequestError("handover", found: "\(handOver)", expected: "a number above 0 and below 1")
        }
        if Set(bridges).count != bridges.count {
            throw RequestError(
                "bridges", found: bridges.map(\.rawValue).joined(separator: ", "), expected: "no name twice")
        }
        let merging = bridges.filter(BridgeKind.merging.contains).map(\.rawValue)
        if merging.count > 1 {
            throw RequestError(
                "bridges", found: merging.joined(separator: " and "),
                expected: "one of them at most: each says how tiles become one canvas")
        }
        if bridges.contains(.dilated), !bridges.contains(.coarse) {
            throw RequestError("bridges", found: "dilated", expected: "coarse with it, whose stages it leads")
        }
        if let weights, !bridges.contains(.consensus) {
            throw RequestError(
                "bridge weights", found: weights.rawValue, expected: "none without the bridge consensus")
        }
        if let skipResidual, !(0...1).contains(skipResidual) {
            throw RequestError("skip residual", found: "\(skipResidual)", expected: "a number from 0 to 1")
        }
        if let skipResidual, skipResidual > 0, !bridges.contains(.coarse) {
            throw RequestError(
                "skip residual", found: "\(skipResidual)", expected: "none without the bridge coarse, which it keeps to"
            )
        }
        if let overlap, overlap > 0, bridges.contains(.shift) {
            throw RequestError(
                "overlap", found: "\(overlap)", expected: "none with the bridge shift, whose tiles do not overlap")
        }
        try validateRegions()
        try validateConditions()
    }

    private func validateConditions() throws(RequestError) {
        let conditions = conditions ?? [:]
        try check("conditions", conditions.count, in: 0...Self.maximumConditions.count)
        for (name, numbers) in conditions.sorted(by: { $0.key < $1.key }) {
            try check("condition \(name)", numbers.count, in: 1...Self.maximumConditions.numbers)
            if let number = numbers.first(where: { !$0.isFinite }) {
                throw RequestError("condition \(name)", found: "\(number)", expected: "finite numbers")
            }
        }
    }

    private func validateRegions() throws(RequestError) {
        let (regions, reseeds) = (regions ?? [], reseeds ?? [])
        for (name, count) in [("regions", regions.count + (map?.contents.count ?? 0)), ("reseeds", reseeds.count)] {
            try check(name, count, in: 0...Self.maximumRegions)
        }
        for (index, region) in regions.enumerated() { try region.validate("region \(index + 1)") }
        for (index, reseed) in reseeds.enumerated() { try reseed.rectangle.validate("reseed \(index + 1)") }
    }

    /// Whether opposite edges meet in a direction.
    func wraps(_ axis: CanvasAxis) -> Bool { tileable?.contains(axis) ?? false }

    private func check(_ name: String, _ number: Int, in range: ClosedRange<Int>) throws(RequestError) {
        guard range.contains(number) else {
            throw RequestError(name, found: "\(number)", expected: "\(range.lowerBound) to \(range.upperBound)")
        }
    }
}
