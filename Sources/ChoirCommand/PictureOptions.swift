import ArgumentParser
import Choir
import ChoirEngine
import ChoirSampling

/// What to paint: shared by `generate` and `plan`.
struct PictureOptions: ParsableArguments {
    @Option(help: "Size of the picture in pixels.", transform: PixelSize.init(argument:))
    var size = PixelSize(width: 4096, height: 4096)

    @Option(help: "Seed of all noise: the same seed gives the same pixels.")
    var seed: UInt64 = 0

    @Option(help: "Steps at the full size; coarser scales take proportionally more. Default: the model's.")
    var steps: Int?

    @Option(help: "Scale of classifier-free guidance; 1 is off. Default: the model's.")
    var guidance: Double?

    @Option(help: "What guidance leads away from.")
    var negative = ""

    @Option(
        help: "Step rule: \(SamplerKind.allCases.map(\.rawValue).joined(separator: ", ")). Default: the model's.",
        transform: SamplerArgument.init(name:))
    var sampler: SamplerArgument?

    @Option(
        help: """
            Which noise levels the steps of a checkpoint visit: \
            \(StepSpacing.allCases.map(\.rawValue).joined(separator: ", ")). Default: the model's.
            """,
        transform: StepSpacing.init(name:))
    var spacing: StepSpacing?

    @Option(help: "How much noise the sampler ddim adds again in each step, 0 to 1. Default: 0.")
    var eta: Double?

    @Option(
        help: """
            The layer of the text encoders that prompts are read at, counted from the last: 1 is the last, 2 the one \
            before. Default: the model's own, 2 for SDXL and 1 for others.
            """)
    var clipSkip: Int?

    @Option(
        help: """
            The share of the way from noise after which --refiner takes over. \
            Default: \(PaintRequest.usualHandOver), with a refiner.
            """)
    var handover: Double?

    @Option(
        help: """
            Start from the tensor noise, [1, channels, h, w] of unit variance, of this .safetensors file, not from the \
            seed's. It has the cells of the first stage's canvas, as `choir plan` states it.
            """)
    var noise: String?

    @Option(help: "Side of a tile in pixels. Default: the model's.")
    var tile: Int?

    @Option(help: "Pixels that neighbouring tiles share at least. Default: the model's.")
    var overlap: Int?

    @Option(
        name: .customLong("bridge"), parsing: .upToNextOption,
        help: "How tiles listen to each other: \(BridgeKind.allCases.map(\.rawValue).joined(separator: ", ")).",
        transform: BridgeKind.init(name:))
    var bridges: [BridgeKind] = BridgeKind.standard

    @Option(
        help: "Weights of the bridge consensus: \(ConsensusWeights.allCases.map(\.rawValue).joined(separator: ", ")).",
        transform: ConsensusWeights.init(name:))
    var bridgeWeights: ConsensusWeights?

    @Option(help: "How much finer scales are held to what was painted before, 0 to 1. Default: as the model needs it.")
    var skipResidual: Double?

    @Option(
        help: "Opposite edges meet, so that the picture can be laid side by side: x, y or xy.",
        transform: WrappedAxes.init(name:))
    var tileable: WrappedAxes?

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A rectangle with its own prompt, in fractions of the picture's sides; repeatable, later ones win.",
            discussion: "Settings may follow: \"red nebula@0,0,0.5,1;feather=0.05;guidance=4;seed=7;negative=stars\".",
            valueName: "PROMPT@x,y,w,h"),
        transform: PaintRegion.init(parsing:))
    var regions: [PaintRegion] = []

    @Flag(
        help: """
            Tell every part of the picture the whole prompt. Without it Cosmos gives each object that the prompt names, \
            set apart by commas, "and" or "with", places of its own.
            """)
    var mixed = false

    @Option(help: "A picture whose colours say what each part shows; see --legend.")
    var map: String?

    @Option(help: "What the colours of --map stand for: JSON such as {\"#cc2222\": \"red nebula\"}.")
    var legend: String?

    @Option(
        name: .customLong("reseed"),
        help: ArgumentHelp(
            "Draw the noise of a rectangle with another seed; repeatable.", valueName: "x,y,w,h:SEED"),
        transform: Reseed.init(parsing:))
    var reseeds: [Reseed] = []

    @Option(
        name: .customLong("condition"),
        help: ArgumentHelp(
            "What a denoiser of your own is told, by the name of its input; repeatable.",
            valueName: "NAME=NUMBER[,NUMBER...]"),
        transform: ConditionArgument.init(parsing:))
    var conditions: [ConditionArgument] = []

    /// The request for a prompt. Reads the map, if there is one.
    func request(prompt: String) throws -> PaintRequest {
        var request = PaintRequest(prompt: prompt, size: size)
        request.seed = seed
        request.steps = steps
        request.guidance = guidance
        request.negativePrompt = negative
        request.sampler = sampler?.kind
        request.spacing = try sampler.map { try $0.spacing(with: spacing) } ?? spacing
        request.eta = eta
        request.clipSkip = clipSkip
        request.handOver = handover
        request.noise = noise.map(absolutePath)
        request.tile = tile
        request.overlap = overlap
        request.bridges = bridges
        request.weights = bridgeWeights
        request.skipResidual = skipResidual
        request.tileable = tileable
        request.regions = regions.isEmpty ? nil : regions
        request.reseeds = reseeds.isEmpty ? nil : reseeds
        for condition in conditions {
            guard request.conditions?[condition.name] == nil else {
                throw RequestError("condition \(condition.name)", found: "two of it", expected: "one")
            }
            request.conditions = (request.conditions ?? [:]).merging([condition.name: condition.numbers]) { $1 }
        }
        switch (map, legend) {
        case (nil, nil): break
        case (let map?, let legend?): request.map = try RegionMap(contentsOf: map, legend: MapLegend(path: legend))
        case (_?, nil): throw RequestError("map", found: "no --legend", expected: "what its colours stand for")
        case (nil, _?): throw RequestError("legend", found: "no --map", expected: "the picture that it explains")
        }
        return request
    }

    /// What a pipeline makes of a request.
    func plan(_ request: PaintRequest, for pipeline: ParallelDiffusionPipeline) throws -> PaintPlan {
        try pipeline.plan(mixed ? request : pipeline.layingOutElements(of: request))
    }
}

extension PixelSize {
    /// A size from text such as `4096x2048`.
    init(argument: String) throws {
        guard let size = PixelSize(argument) else {
            throw RequestError("size", found: argument, expected: "width and height such as 4096x2048")
        }
        self = size
    }
}
