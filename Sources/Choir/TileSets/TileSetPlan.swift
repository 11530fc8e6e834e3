public import ChoirSampling
import ChoirTensor

/// What painting a set of pictures will do, known before anything runs.
public struct TileSetPlan: Hashable, Sendable {
    /// One resolution of the set.
    struct Stage: Hashable, Sendable {
        /// The index in `ModelTraits.scales`; 0 is the full size.
        let scale: Int
        /// Counted from the full size, which is 0, to the coarsest.
        let rung: Int
        let frame: TileFrame
        /// Cells of a strip that is alike.
        let strip: Int
        let schedule: Schedule
        let sampler: SamplerKind
        let guidance: Guidance
        let refines: Bool
        /// Cells along a side of its picture that the tiles of the next size see as one.
        let pooling: Int
        let tileShape: TileShape

        var evaluations: Int { (sampler == .heun ? 2 * schedule.steps - 1 : schedule.steps) * perStep }
        var perStep: Int { guidance.needsUnconditional ? 2 : 1 }
    }

    /// What was planned for.
    public let request: TileSetRequest

    let stages: [Stage]
    let joins: TileJoins

    /// Evaluations of the network.
    public var evaluations: Int { request.images.count * stages.reduce(0) { $0 + $1.evaluations } }

    /// The tile that a picture is denoised in at the full size, in pixels.
    public var tile: PixelSize {
        let frame = stages[stages.count - 1].frame
        return PixelSize(width: frame.width, height: frame.height)
    }

    /// Steps at the full size, and by which rule.
    public var steps: (count: Int, sampler: SamplerKind) {
        let finest = stages[stages.count - 1]
        return (finest.schedule.steps, finest.sampler)
    }

    /// The scale of classifier-free guidance that the request asks for, or else the model.
    public let guidanceScale: Double

    /// Plans a set.
    ///
    /// - Throws: `RequestError` if the request is invalid or does not fit the model.
    public init(request: TileSetRequest, traits: ModelTraits) throws {
        try request.validate()
        guard traits.pixelsPerCell == 1 else {
            throw RequestError(
                "model", found: "\(traits.name), which paints latents", expected: "one whose canvas is the picture")
        }
        guard traits.readsPrompts else {
            throw RequestError(
                "model", found: "\(traits.name), which reads no prompts", expected: "one that reads the pictures'")
        }
        let (width, height) = (request.size.width, request.size.height)
        let ladder = Ladder(width: width, height: height, scalesOf: traits)
        let unit = ladder.unit(traits: traits)
        for (name, side) in [("width", width), ("height", height)] where side % unit != 0 {
            throw RequestError(
                name, found: "\(side)",
                expected: "a multiple of \(unit), because pictures of a set are painted at \(ladder.rungs.count) sizes")
        }
        let joins = TileJoins(request.images)
        self.joins = joins
        self.request = request
        guidanceScale = request.guidance ?? traits.mostGuidance
        // The same number of cells at every scale, or more where that is little to see.
        let wanted = (request.padding + unit - 1) / unit
        var stages: [Stage] = []
        var finer: (frame: TileFrame, reduction: Int)?
        for (index, rung) in ladder.rungs.enumerated() {
            let refines = index + 1 < ladder.rungs.count
            let (scale, reduction) = (traits.scales[rung.scale], rung.reduction)
            let best = scale.settings(refining: refines)
            let sampler = request.sampler ?? best.sampler
            let content = (width: rung.width, height: rung.height)
            let cells = wanted * (unit / reduction)
            let padding = max(cells, min(8, min(content.width, content.height) / 2))
            let (x, y) = (joins.joinsX ? padding : 0, joins.joinsY ? padding : 0)
            // A coarser tile must reach so far that the finer one finds all of itself in it.
            let minimum = finer.map { finer, finerReduction in
                (
                    x + (finer.width - finer.picture.x) * finerReduction / reduction,
                    y + (finer.height - finer.picture.y) * finerReduction / reduction
                )
            }
            let frame = TileFrame(
                width: content.width, height: content.height, padding: (x, y), minimum: minimum ?? (0, 0),
                alignment: traits.alignment)
            finer = (frame, reduction)
            stages.append(
                Stage(
                    scale: rung.scale, rung: index, frame: frame,
                    strip: max(1, min((request.strip + reduction - 1) / reduction, padding)),
                    schedule: try traits.noise.schedule(
                        steps: traits.steps(request.steps, best: best.steps, scale: rung.scale), sampler: sampler,
                        start: refines ? scale.start : 1, shift: best.shift),
                    sampler: sampler,
                    guidance: try Guidance(scale: traits.guidance(request.guidance, best: best.guidance)),
                    refines: refines,
                    pooling: ladder.pooling(of: index, traits: traits),
                    tileShape: Self.tileShape(frame, traits)))
        }
        self.stages = stages.reversed()
    }

    private static func tileShape(_ frame: TileFrame, _ traits: ModelTraits) -> TileShape {
        TileShape(
            height: frame.height, width: frame.width, contextTokens: 0,
            cellsPerToken: traits.summary.map { min($0.granularity, frame.height, frame.width) } ?? 0)
    }
}
