public import ChoirSampling

/// What the pipeline must know of a model to plan a painting.
public struct ModelTraits: Hashable, Sendable {
    /// One of the resolutions that a model paints at, and how it paints there best.
    public struct Scale: Hashable, Sendable {
        /// Steps, where the request names none.
        public var steps: Int

        /// Guidance scale, where the request names none.
        public var guidance: Double

        /// Flow time in 0 < t <= 1 from which a coarser picture is refined; 1 repaints from pure noise.
        public var start: Double

        /// Resolution shift of the flow schedule (Esser et al. 2024, equation 23); 1 is none.
        public var shift: Double

        /// A scale with its best settings.
        public init(steps: Int, guidance: Double, start: Double, shift: Double) {
            self.steps = steps
            self.guidance = guidance
            self.start = start
            self.shift = shift
        }
    }

    /// How tiles tell each other what they show.
    public struct Summary: Hashable, Sendable {
        /// Numbers in a token.
        public var width: Int

        /// Side of the square of cells that one token stands for; doubled as often as it takes when a canvas has many
        /// tiles, and less in tiles that are smaller.
        public var granularity: Int

        /// The number of tokens of a canvas that the model reads without growing slower; more tiles publish coarser.
        public var capacity: Int

        /// A way to publish.
        public init(width: Int, granularity: Int, capacity: Int) {
            self.width = width
            self.granularity = granularity
            self.capacity = capacity
        }
    }

    /// The name that reports and metadata state.
    public var name: String

    /// The number format that its layers compute in, such as `f32`, as reports state it.
    public var precision: String

    /// Channels of the canvas.
    public var channels: Int

    /// What canvas sizes and tile positions are multiples of, in cells.
    public var alignment: Int

    /// Side of a tile in cells, where the request names none.
    public var tile: Int

    /// Cells that neighbouring tiles share, where the request names none.
    public var overlap: Int

    /// The step rule, where the request names none.
    public var sampler: SamplerKind

    /// The resolutions, from the full size to the coarsest. Each is `scaleFactor` times smaller than the one before.
    public var scales: [Scale]

    /// How many times smaller the side of the next coarser scale is.
    public var scaleFactor: Int

    /// How tiles publish; nil for a model without cross-spatial attention.
    public var summary: Summary?

    /// Side of the square of cells that can have a prompt of its own: `TileInput.embedding` then may be one vector for
    /// each square. Nil for a model that is told one thing for a whole tile.
    public var conditioningCell: Int?

    /// Bytes that the compiled model takes without any tile.
    public var residentBytes: Int

    /// Bytes of activations for each cell of a tile that is being denoised.
    public var activationBytesPerCell: Int

    /// Traits of a model.
    public init(
        name: String, precision: String, channels: Int, alignment: Int, tile: Int, overlap: Int, sampler: SamplerKind,
        scales: [Scale],
        scaleFactor: Int, summary: Summary?, conditioningCell: Int? = nil, residentBytes: Int,
        activationBytesPerCell: Int
    ) {
        self.name = name
        self.precision = precision
        self.channels = channels
        self.alignment = alignment
        self.tile = tile
        self.overlap = overlap
        self.sampler = sampler
        self.scales = scales
        self.scaleFactor = scaleFactor
        self.summary = summary
        self.conditioningCell = conditioningCell
        self.residentBytes = residentBytes
        self.activationBytesPerCell = activationBytesPerCell
    }
}
