import ChoirSampling
import ChoirTensor

/// What a painting will do and take, known before anything runs.
public struct PaintPlan: Hashable, Sendable {
    /// The stages from the coarsest to the full size; two for a size at which a refiner takes over.
    public let stages: [Stage]

    /// The name of the refiner and the share of the way from pure noise after which it takes over; nil without.
    public let handOver: HandOver?

    /// The name of what decodes the canvas in the place of the model's own autoencoder; nil for that.
    public let autoencoder: String?

    /// How a refiner takes part.
    public struct HandOver: Hashable, Sendable {
        /// The refiner's name.
        public let refiner: String
        /// The share of the way from pure noise that is the other model's.
        public let share: Double
    }

    /// What was planned for.
    public internal(set) var request: PaintRequest

    /// Pixels along a side of a cell, in which stages are planned.
    public let pixelsPerCell: Int

    /// Channels of the picture: 3, or 1 for a grey one.
    public let pictureChannels: Int

    /// Bytes of memory at the peak: model, activations and canvases, or what decoding takes.
    public let peakBytes: Int

    /// Bytes of disk that a run directory takes while the picture is painted.
    public let runBytes: Int

    /// Evaluations of the network.
    public var evaluations: Int { stages.reduce(0) { $0 + $1.evaluations } }

    /// Tiles at the full size.
    public var tiles: Int { stages.last?.tiles.count ?? 0 }

    /// The stage at the full size. Every plan has one.
    public var finest: Stage { stages[stages.count - 1] }

    /// The scale of classifier-free guidance that the request asks for, or else the model. It acts where the composition
    /// is made; finer stages guide less.
    public let guidanceScale: Double

    /// Plans a painting.
    ///
    /// - Parameters:
    ///   - request: What to paint.
    ///   - traits: What paints it.
    ///   - refiner: What takes over from it; nil for nothing.
    ///   - codec: What will decode the canvas; nil if it is the picture.
    ///   - modules: How many tiles are denoised at the same time.
    /// - Throws: `RequestError` if the request is invalid or does not fit the model, `SamplingError` for settings that
    ///   no schedule can be made of.
    public init(
        request: PaintRequest, traits: ModelTraits, refiner: ModelTraits? = nil, codec: (any LatentCodec)? = nil,
        modules: Int
    ) throws {
        try request.validate()
        try traits.check(request)
        try Self.check(request, traits: traits, refiner: refiner)
        let ladder = Ladder(request: request, traits: traits)
        try Self.checkRings(of: request, ladder: ladder, traits: traits)
        let stages = try ladder.rungs.indices.reversed().flatMap { rung in
            try Stage.stages(rung: rung, of: ladder, request: request, traits: traits, refiner: refiner)
        }
        self.stages = stages
        handOver = refiner.map {
            HandOver(refiner: $0.name, share: request.handOver ?? PaintRequest.usualHandOver)
        }
        autoencoder = codec?.name
        pixelsPerCell = traits.pixelsPerCell
        pictureChannels = traits.pictureChannels
        guidanceScale = request.guidance ?? traits.mostGuidance
        self.request = request
        peakBytes =
            Self.peakBytes(stages: stages, traits: traits, refiner: refiner, codec: codec, modules: modules)
            + (request.map?.bytes ?? 0)
        runBytes = Self.runBytes(stages: stages, request: request, traits: traits)
    }

    /// Settings that not every model has.
    private static func check(
        _ request: PaintRequest, traits: ModelTraits, refiner: ModelTraits?
    ) throws(RequestError) {
        if let handOver = request.handOver, refiner == nil {
            throw RequestError("handover", found: "\(handOver)", expected: "none without a refiner that takes over")
        }
        guard let clipSkip = request.clipSkip else { return }
        for traits in [traits, refiner].compactMap({ $0 }) where traits.clipSkips?.contains(clipSkip) != true {
            let expected = traits.clipSkips.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "none"
            throw RequestError("clip skip", found: "\(clipSkip)", expected: "\(expected) for \(traits.name)")
        }
    }

    /// The most evaluations of the network that a prediction of the canvas takes, in a stage and in those after it that
    /// its compiled network serves as well. More modules would stand idle, and each of those at work would have fewer of
    /// the processor's cores.
    func mostEvaluations(from index: Int) -> Int {
        stages[index...].prefix { $0.sharesNetwork(with: stages[index]) }.flatMap(\.evaluationCounts).max() ?? 1
    }

    /// The stage whose picture a stage refines, the last one of the size before; nil for the first size.
    func refined(by index: Int) -> Stage? { stages[..<index].last { $0.rung > stages[index].rung } }

    /// A ring has no cells to spare: it is made of whole cells, and of whole cells of what tiles see of the coarser scale.
    private static func checkRings(
        of request: PaintRequest, ladder: Ladder, traits: ModelTraits
    ) throws(RequestError) {
        let divisor = traits.pixelsPerCell * ladder.unit(traits: traits)
        for (name, side, axis) in [("width", request.size.width, CanvasAxis.x), ("height", request.size.height, .y)]
        where request.wraps(axis) && side % divisor != 0 {
            throw RequestError(
                name, found: "\(side)",
                expected:
                    "a multiple of \(divisor), because the picture is tileable and painted at \(ladder.rungs.count) sizes"
            )
        }
    }

    private static func canvasBytes(_ stage: Stage, traits: ModelTraits) -> Int {
        stage.canvasShape(channels: traits.channels).elementCount * MemoryLayout<Float>.size
    }

    private static func stateBytes(_ stage: Stage, traits: ModelTraits) -> Int {
        stage.stateShape(channels: traits.channels).elementCount * MemoryLayout<Float>.size
    }

    /// State, fused prediction, the sampler's memory and noise, and the coarser picture; tiles in flight; model and
    /// activations. Or, when the model is gone, the canvas and what decodes it.
    private static func peakBytes(
        stages: [Stage], traits: ModelTraits, refiner: ModelTraits?, codec: (any LatentCodec)?, modules: Int
    ) -> Int {
        // Canvases of the stage before, and of the size before.
        var (canvas, coarser) = (0, 0)
        var peak = 0
        for stage in stages {
            if !stage.continues { coarser = canvas }
            let traits = stage.belongsToRefiner ? refiner ?? traits : traits
            let state = stateBytes(stage, traits: traits)
            let more = [stage.samplerRemembers, stage.samplerTakesNoise || stage.residual != nil]
            let states = 2 + more.count { $0 }
            let cells = stage.tiles.columns.window * stage.tiles.rows.window
            let inFlight =
                modules * cells * (traits.activationBytesPerCell + 4 * traits.channels * MemoryLayout<Float>.size)
            peak = max(peak, states * state + coarser + inFlight + traits.residentBytes)
            canvas = canvasBytes(stage, traits: traits)
        }
        guard let codec, let tiles = stages.last?.tiles else { return peak }
        return max(peak, canvas + codec.decodingBytes(height: tiles.rows.length, width: tiles.columns.length))
    }

    /// Two states, because the new one is written before the old one goes; and the noise that was given.
    private static func runBytes(stages: [Stage], request: PaintRequest, traits: ModelTraits) -> Int {
        guard let finest = stages.last else { return 0 }
        let noise = request.noise == nil ? 0 : canvasBytes(stages[0], traits: traits)
        let stored = finest.samplerRemembers ? 2 : 1
        let coarser = stages.last { $0.rung > finest.rung }.map { canvasBytes($0, traits: traits) } ?? 0
        return 2 * (stored * stateBytes(finest, traits: traits) + coarser) + noise
    }
}
