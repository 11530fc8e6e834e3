public import ChoirSampling
public import ChoirTensor

/// A model that predicts clean tiles from noisy ones, whatever engine it runs on.
///
/// A prediction is a pure function of its input. So any tile can be denoised anywhere, in any order, and again.
public protocol Denoiser: Sendable {
    /// What the pipeline must know to plan.
    var traits: ModelTraits { get }

    /// What turns a canvas into a picture; nil if the canvas is the picture.
    var codec: (any LatentCodec)? { get }

    /// The same model, told the numbers of `ModelTraits.conditions` in every tile.
    ///
    /// - Parameter conditions: What a request says, as its plan has checked it; those that are not named are as the
    ///   model has them.
    func conditioned(by conditions: [String: [Double]]) -> any Denoiser

    /// What takes over for the last part of the noise, at every size of a picture; nil for nothing.
    ///
    /// An expert for little noise (Balaji et al. 2022, "eDiff-I", section 4.1; the refiner of Podell et al. 2023,
    /// "SDXL", section 2.5). Its canvas is that of this model, and its tiles are those of this model: of its traits only
    /// name, summary and bytes count. Its own codec and refiner are not asked.
    var refiner: (any Denoiser)? { get }

    /// The model's forms of all prompts of a painting. The empty prompt gives the model's "nothing in particular".
    ///
    /// - Parameters:
    ///   - prompts: All that any tile will be asked for, each once.
    ///   - clipSkip: The layer of the text encoders that they are read at, one of `ModelTraits.clipSkips`; nil for the
    ///     model's own, always so for a model without such layers.
    /// - Returns: One embedding for each prompt, all of one shape.
    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor]

    /// The elements of a prompt that names several, each with what it shares with the others; none, if the prompt names
    /// one thing or the model reads it as a whole.
    func elements(of prompt: String) -> [String]

    /// What it has learned of the forms of objects, for a model that sees coarser pictures: they lead what it composes at its
    /// coarsest scale. Nil for nothing.
    var forms: LearnedForms? { get }

    /// Makes ready for tiles of one shape.
    ///
    /// - Parameters:
    ///   - shape: What the tiles of a stage have in common.
    ///   - embedding: The shape of the painting's embeddings.
    ///   - modules: How many tiles will be denoised at the same time.
    /// - Returns: What denoises them; it shares the model's weights with every other.
    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool
}

extension Denoiser {
    /// None: the canvas is the picture.
    public var codec: (any LatentCodec)? { nil }

    /// A model without conditions has nothing to be told.
    public func conditioned(by conditions: [String: [Double]]) -> any Denoiser { self }

    /// None: a prompt is read as a whole.
    public func elements(of prompt: String) -> [String] { [] }

    /// None: the network composes alone.
    public var forms: LearnedForms? { nil }

    /// None: the model paints alone.
    public var refiner: (any Denoiser)? { nil }

    /// What paints a stage: this model, or its refiner.
    func expert(for stage: Stage) -> any Denoiser { stage.belongsToRefiner ? refiner ?? self : self }
}

/// What the tiles of a stage have in common; a model may need to be compiled for it.
public struct TileShape: Hashable, Sendable {
    /// Rows of cells.
    public var height: Int

    /// Columns of cells.
    public var width: Int

    /// Tokens that each tile reads from all tiles; 0 without cross-spatial attention.
    public var contextTokens: Int

    /// Side of the square of cells that one published token stands for; 0 if tiles publish nothing.
    public var cellsPerToken: Int

    /// Whether a tile may be told another prompt in each square of `ModelTraits.conditioningCell`.
    public var hasPromptPerSquare: Bool

    /// A shape; of tiles that are told one prompt each unless said otherwise.
    public init(
        height: Int, width: Int, contextTokens: Int, cellsPerToken: Int, hasPromptPerSquare: Bool = false
    ) {
        self.height = height
        self.width = width
        self.contextTokens = contextTokens
        self.cellsPerToken = cellsPerToken
        self.hasPromptPerSquare = hasPromptPerSquare
    }
}

/// The modules that denoise the tiles of one stage: inference requests over one copy of the weights.
public protocol ModulePool: Sendable {
    /// How many requests run at the same time.
    var concurrency: Int { get }

    /// Denoises one tile. Waits for a free module.
    func predict(_ input: TileInput) async throws -> TilePrediction

    /// What a tile publishes, without denoising it. Called only if the shape has `cellsPerToken > 0`.
    func publish(_ input: TileInput) async throws -> TilePublication
}

/// All that a prediction depends on.
public struct TileInput: Sendable {
    /// The tile's window of the canvas, `[channels, height, width]`.
    public var noisy: Tensor

    /// The same window of the coarser scale's finished picture, `[channels, height / factor, width / factor]`.
    public var coarse: Tensor?

    /// Where the window lies in the stage's canvas, in cells.
    public var window: Region

    /// The stage's picture, in cells of its canvas, which may reach beyond it on the right and below.
    public var picture: Region

    /// The noise level of the window.
    public var level: NoiseLevel

    /// The index in `ModelTraits.scales`.
    public var scale: Int

    /// The model's form of the prompt. Where `TileShape.hasPromptPerSquare`, it may also be one vector for each square of
    /// `ModelTraits.conditioningCell` cells a side, `[text, height / cell, width / cell]`.
    public var embedding: Tensor

    /// Whether guidance leads away from the prediction, as from that of a negative prompt; a model without prompts is told
    /// by this alone.
    public var isNegative = false

    /// The scale of guidance, for a model with `ModelTraits.readsGuidance`.
    public var guidanceScale: Double

    /// The tokens of all tiles, `[contextTokens, width]`; nil to listen to nobody.
    public var context: Tensor?

    /// The tiles whose tokens `context` holds, one after another, `contextTokens / count` of each; nil without context.
    public var contextTiles: TilePlan?

    /// The place among `contextTiles` of the tile that this is; nil for what is none of them, as a view of the whole canvas.
    /// A grid that moves keeps its order.
    public var contextIndex: Int?

    /// An input; of a canvas that is one tile unless said otherwise.
    public init(
        noisy: Tensor, coarse: Tensor?, window: Region? = nil, picture: Region? = nil, level: NoiseLevel, scale: Int,
        embedding: Tensor, guidanceScale: Double = 1, context: Tensor?, contextTiles: TilePlan? = nil,
        contextIndex: Int? = nil
    ) {
        let whole = Region(x: 0, y: 0, width: noisy.width, height: noisy.height)
        self.noisy = noisy
        self.coarse = coarse
        self.window = window ?? whole
        self.picture = picture ?? whole
        self.level = level
        self.scale = scale
        self.embedding = embedding
        self.guidanceScale = guidanceScale
        self.context = context
        self.contextTiles = contextTiles
        self.contextIndex = contextIndex
    }
}

/// What a module says of a tile.
public struct TilePrediction: Sendable {
    /// The predicted clean tile, `[channels, height, width]`.
    public var clean: Tensor

    /// What the tile tells the others, `[tokens, width]`; nil if tiles publish nothing.
    public var publication: Tensor?

    /// Seconds that the network itself took.
    public var networkSeconds: Double

    /// A prediction.
    public init(clean: Tensor, publication: Tensor?, networkSeconds: Double) {
        self.clean = clean
        self.publication = publication
        self.networkSeconds = networkSeconds
    }
}

/// What a tile tells the others.
public struct TilePublication: Sendable {
    /// Summary tokens, `[tokens, width]`.
    public var tokens: Tensor

    /// Seconds that the network itself took.
    public var networkSeconds: Double

    /// A publication.
    public init(tokens: Tensor, networkSeconds: Double) {
        self.tokens = tokens
        self.networkSeconds = networkSeconds
    }
}
