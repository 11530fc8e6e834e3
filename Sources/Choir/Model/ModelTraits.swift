/// What the pipeline must know of a model to plan a painting.
public struct ModelTraits: Hashable, Sendable {
    /// How tiles tell each other what they show.
    public struct Summary: Hashable, Sendable {
        /// Numbers in a token.
        public var width: Int

        /// Side of the square of cells that one token stands for; doubled as often as it takes when a canvas has many
        /// tiles, and less in tiles that are smaller.
        public var granularity: Int

        /// The number of tokens of a canvas that the model reads without growing slower; more tiles publish coarser.
        public var capacity: Int

        /// Whether tiles must be whole numbers of tokens high and wide.
        public var dividesTiles: Bool

        /// Evaluations of a stage, from the first, in which tiles publish anew at the level of the evaluation before any
        /// is denoised; the others read what was published in the evaluation before.
        public var freshEvaluations: Int

        /// A way to publish.
        public init(
            width: Int, granularity: Int, capacity: Int, dividesTiles: Bool = false, freshEvaluations: Int = 1
        ) {
            self.width = width
            self.granularity = granularity
            self.capacity = capacity
            self.dividesTiles = dividesTiles
            self.freshEvaluations = freshEvaluations
        }
    }

    /// The name that reports and metadata state.
    public var name: String

    /// The number format that its layers compute in, such as `f32`, as reports state it.
    public var precision: String

    /// Channels of the canvas.
    public var channels: Int

    /// Channels of the picture: 3, or 1 for a grey one.
    public var pictureChannels: Int

    /// Pixels along a side of a cell; 1 where the canvas is the picture. More needs a `LatentCodec`.
    public var pixelsPerCell: Int

    /// What canvas sizes and tile positions are multiples of, in cells.
    public var alignment: Int

    /// Side of a tile in cells, where the request names none: the size that the model paints best.
    public var tile: Int

    /// Cells that neighbouring tiles share, where the request names none.
    public var overlap: Int

    /// The noise that it was trained with.
    public var noise: NoiseSchedule

    /// Whether a guidance below 1 means what the equation says; otherwise it is none, as diffusers has it.
    public var guidesBelowOne: Bool

    /// Whether the guidance scale is an input of the network, which then needs no unconditional prediction.
    public var readsGuidance: Bool

    /// The resolutions that the model knows of, from the full size to the coarsest. The reduction of each divides that of
    /// the next. Tiles see the coarser picture, at a `scaleFactor`-th of their side. See `composedSide`, too.
    ///
    /// A model of a single scale paints every size alike and sees no coarser picture: it paints at its own size first,
    /// about a tile, and refines what was enlarged.
    public var scales: [Scale]

    /// How many times smaller than a tile's side that of the coarser picture is, as the tile sees it. A coarser scale
    /// that is not so much smaller is averaged until it is.
    public var scaleFactor: Int

    /// The shorter side, in cells, of the least canvas that larger ones of the coarsest scale are composed on first: the
    /// coarsest scale then comes again, `scaleFactor` times smaller, for as long as that is no smaller. Nil for a model that
    /// composes at any size.
    public var composedSide: Int?

    /// How tiles publish; nil for a model without cross-spatial attention.
    public var summary: Summary?

    /// Side of the square of cells that can have a prompt of its own: `TileInput.embedding` then may be one vector for
    /// each square. Nil for a model that is told one thing for a whole tile.
    public var conditioningCell: Int?

    /// At which layers of the text encoders prompts can be read, counted from the last one, which is 1; nil for a model
    /// without a choice.
    public var clipSkips: ClosedRange<Int>?

    /// Bytes that the compiled model takes without any tile.
    public var residentBytes: Int

    /// Bytes of activations for each cell of a tile that is being denoised.
    public var activationBytesPerCell: Int

    /// Whether tiles have `tile` cells a side and no other size; a canvas is never smaller then.
    public var fixesTile = false

    /// Whether it reads prompts; if not, the prompt is but the picture's title.
    public var readsPrompts = true

    /// Whether guidance has something to lead away from.
    public var canGuide = true

    /// What it is told in numbers, beside the prompt.
    public var conditions: [ModelCondition] = []

    /// The greatest guidance scale of all scales, which is what a request that names none asks for.
    var mostGuidance: Double {
        scales.flatMap { [$0.refining.guidance, $0.composing.guidance] }.max() ?? 1
    }

    /// A requested guidance scale acts where the model guides most, and in proportion where `best` is less.
    func guidance(_ requested: Double?, best: Double) -> Double {
        if let requested, requested < 1, !guidesBelowOne { return 1 }
        let most = mostGuidance
        guard seesCoarser, let requested, most > 1 else { return requested ?? best }
        return 1 + (requested - 1) * (best - 1) / (most - 1)
    }

    /// Requested steps are those of the full size, and at a coarser scale stand in the same proportion to `best`.
    func steps(_ requested: Int?, best: Int, scale: Int) -> Int {
        guard let requested, scale > 0 else { return requested ?? best }
        return max(1, Int((Double(requested) * Double(best) / Double(scales[0].refining.steps)).rounded()))
    }

    /// Whether tiles are given the coarser picture to see.
    public var seesCoarser: Bool { scales.count > 1 }

    /// Traits of a model; those of a canvas that is an RGB picture, of a rectified flow, unless said otherwise.
    public init(
        name: String, precision: String, channels: Int, pictureChannels: Int = 3, pixelsPerCell: Int = 1,
        alignment: Int, tile: Int, overlap: Int, noise: NoiseSchedule = .flow(),
        guidesBelowOne: Bool = true, readsGuidance: Bool = false, scales: [Scale], scaleFactor: Int, summary: Summary?,
        conditioningCell: Int? = nil, clipSkips: ClosedRange<Int>? = nil, residentBytes: Int,
        activationBytesPerCell: Int
    ) {
        self.name = name
        self.precision = precision
        self.channels = channels
        self.pictureChannels = pictureChannels
        self.pixelsPerCell = pixelsPerCell
        self.alignment = alignment
        self.tile = tile
        self.overlap = overlap
        self.noise = noise
        self.guidesBelowOne = guidesBelowOne
        self.readsGuidance = readsGuidance
        self.scales = scales
        self.scaleFactor = scaleFactor
        self.summary = summary
        self.conditioningCell = conditioningCell
        self.clipSkips = clipSkips
        self.residentBytes = residentBytes
        self.activationBytesPerCell = activationBytesPerCell
    }
}
