import ChoirSampling
import ChoirTensor

/// What a painting will do and take, known before anything runs.
public struct PaintPlan: Hashable, Sendable {
    /// The stages from the coarsest to the full size.
    public let stages: [Stage]

    /// What was planned for.
    public internal(set) var request: PaintRequest

    /// Bytes of memory at the peak: model, activations and canvases.
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
    ///   - modules: How many tiles are denoised at the same time.
    /// - Throws: `RequestError` if the request is invalid or does not fit the model, `SamplingError` for settings that
    ///   no schedule can be made of.
    public init(request: PaintRequest, traits: ModelTraits, modules: Int) throws {
        try request.validate()
        if request.bridges.contains(.attention), traits.summary == nil {
            throw RequestError("bridges", found: "attention", expected: "a model with cross-spatial attention")
        }
        let scales = Self.scales(for: request, traits: traits)
        try Self.checkRings(of: request, scales: scales.count, traits: traits)
        let stages = try scales.reversed().map { scale in
            try Stage(scale: scale, refines: scale < scales.count - 1, request: request, traits: traits)
        }
        self.stages = stages
        guidanceScale = request.guidance ?? traits.scales.map(\.guidance).max() ?? 1
        self.request = request
        peakBytes = Self.peakBytes(stages: stages, traits: traits, modules: modules)
        runBytes = Self.runBytes(stages: stages, traits: traits)
    }

    /// The scales from 0 on that have at least one aligned square of cells.
    private static func scales(for request: PaintRequest, traits: ModelTraits) -> [Int] {
        guard request.bridges.contains(.coarse) else { return [0] }
        var side = max(request.size.width, request.size.height)
        return traits.scales.indices.prefix { scale in
            if scale > 0 { side /= traits.scaleFactor }
            return scale == 0 || side >= traits.alignment
        }
    }

    /// A ring has no cells to spare: each scale must be a whole part of it.
    private static func checkRings(of request: PaintRequest, scales: Int, traits: ModelTraits) throws(RequestError) {
        let divisor = (1..<max(1, scales)).reduce(1) { divisor, _ in divisor * traits.scaleFactor }
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

    /// State, fused prediction, the sampler's memory, and the coarser picture; tiles in flight; model and activations.
    private static func peakBytes(stages: [Stage], traits: ModelTraits, modules: Int) -> Int {
        var coarser = 0
        var peak = 0
        for stage in stages {
            let state = stateBytes(stage, traits: traits)
            let states = stage.samplerRemembers ? 3 : 2
            let cells = stage.tiles.columns.window * stage.tiles.rows.window
            let inFlight =
                modules * cells * (traits.activationBytesPerCell + 4 * traits.channels * MemoryLayout<Float>.size)
            peak = max(peak, states * state + coarser + inFlight)
            coarser = canvasBytes(stage, traits: traits)
        }
        return peak + traits.residentBytes
    }

    /// Two states, because the new one is written before the old one goes.
    private static func runBytes(stages: [Stage], traits: ModelTraits) -> Int {
        guard let finest = stages.last else { return 0 }
        let stored = finest.samplerRemembers ? 2 : 1
        let coarser = stages.dropLast().last.map { canvasBytes($0, traits: traits) } ?? 0
        return 2 * (stored * stateBytes(finest, traits: traits) + coarser)
    }
}
