import ChoirSampling
import ChoirTensor

/// What a painting will do and take, known before anything runs.
public struct PaintPlan: Hashable, Sendable {
    /// The stages from the coarsest to the full size.
    public let stages: [Stage]

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
    ///   - codec: What will decode the canvas; nil if it is the picture.
    ///   - modules: How many tiles are denoised at the same time.
    /// - Throws: `RequestError` if the request is invalid or does not fit the model, `SamplingError` for settings that
    ///   no schedule can be made of.
    public init(
        request: PaintRequest, traits: ModelTraits, codec: (any LatentCodec)? = nil, modules: Int
    ) throws {
        try request.validate()
        try traits.check(request)
        let ladder = Ladder(request: request, traits: traits)
        try Self.checkRings(of: request, scales: ladder.rungs.count, traits: traits)
        let stages = try ladder.rungs.indices.reversed().map { rung in
            try Stage(rung: rung, of: ladder, request: request, traits: traits)
        }
        self.stages = stages
        pixelsPerCell = traits.pixelsPerCell
        pictureChannels = traits.pictureChannels
        guidanceScale = request.guidance ?? traits.scales.map(\.guidance).max() ?? 1
        self.request = request
        peakBytes =
            Self.peakBytes(stages: stages, traits: traits, codec: codec, modules: modules) + (request.map?.bytes ?? 0)
        runBytes = Self.runBytes(stages: stages, request: request, traits: traits)
    }

    /// A ring has no cells to spare: it is made of whole cells, and of whole cells of what tiles see of the coarser scale.
    private static func checkRings(of request: PaintRequest, scales: Int, traits: ModelTraits) throws(RequestError) {
        let factors = traits.seesCoarser ? scales - 1 : 0
        let divisor = (0..<factors).reduce(traits.pixelsPerCell) { divisor, _ in divisor * traits.scaleFactor }
        for (name, side, axis) in [("width", request.size.width, CanvasAxis.x), ("height", request.size.height, .y)]
        where request.wraps(axis) && side % divisor != 0 {
            throw RequestError(
                name, found: "\(side)",
                expected: "a multiple of \(divisor), because the picture is tileable and painted at \(scales) scales")
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
        stages: [Stage], traits: ModelTraits, codec: (any LatentCodec)?, modules: Int
    ) -> Int {
        var coarser = 0
        var peak = 0
        for stage in stages {
            let state = stateBytes(stage, traits: traits)
            let more = [stage.samplerRemembers, stage.samplerTakesNoise || stage.residual != nil]
            let states = 2 + more.count { $0 }
            let cells = stage.tiles.columns.window * stage.tiles.rows.window
            let inFlight =
                modules * cells * (traits.activationBytesPerCell + 4 * traits.channels * MemoryLayout<Float>.size)
            peak = max(peak, states * state + coarser + inFlight)
            coarser = canvasBytes(stage, traits: traits)
        }
        peak += traits.residentBytes
        guard let codec, let tiles = stages.last?.tiles else { return peak }
        return max(peak, coarser + codec.decodingBytes(height: tiles.rows.length, width: tiles.columns.length))
    }

    /// Two states, because the new one is written before the old one goes; and the noise that was given.
    private static func runBytes(stages: [Stage], request: PaintRequest, traits: ModelTraits) -> Int {
        guard let finest = stages.last else { return 0 }
        let noise = request.noise == nil ? 0 : canvasBytes(stages[0], traits: traits)
        let stored = finest.samplerRemembers ? 2 : 1
        let coarser = stages.dropLast().last.map { canvasBytes($0, traits: traits) } ?? 0
        return 2 * (stored * stateBytes(finest, traits: traits) + coarser) + noise
    }
}
