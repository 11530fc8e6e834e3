import ChoirSampling
import ChoirTensor

/// What the tiles of a stage are told, and how many evaluations that takes.
struct StageRegions: Hashable, Sendable {
    let layout: RegionLayout

    /// The guidance of each of the layout's contents at this stage.
    let guidances: [Guidance]

    /// Negative prompts of the layout's contents.
    let negatives: [String]

    /// The side of the square of cells that the model can give a prompt of its own; nil for one prompt an evaluation.
    private let cell: Int?
    private let pictureWidth: Int
    private let pictureHeight: Int

    init(
        layout: RegionLayout, request: PaintRequest, guidances: [Guidance], cell: Int?, pictureWidth: Int,
        pictureHeight: Int
    ) {
        self.layout = layout
        self.guidances = guidances
        self.cell = cell
        self.pictureWidth = pictureWidth
        self.pictureHeight = pictureHeight
        negatives = layout.contents.map { $0.negativePrompt ?? request.negativePrompt }
    }

    /// What a tile is told.
    enum Telling {
        /// One content alone.
        case one(Int)
        /// Contents that are mixed in each square's conditioning, all with one guidance.
        case mixed(RegionWeights, Guidance)
        /// The same, with guidance that differs by cell.
        case mixedAndBlended(RegionWeights)
        /// Contents that are denoised apart, and mixed in the prediction of each cell.
        case blended(RegionWeights)
    }

    /// What the tile of a window is told.
    func telling(in window: Region) -> Telling {
        if layout.isPlain { return .one(0) }
        let grid = grid(window, cell: cell ?? 1)
        if let only = layout.onlyContent(in: grid) { return .one(only) }
        let found = layout.weights(in: grid)
        if found.contents.count == 1 { return .one(found.contents[0]) }
        guard cell != nil else { return .blended(found) }
        let scales = Set(found.contents.map { guidances[$0] })
        if let guidance = scales.first, scales.count == 1 { return .mixed(found, guidance) }
        return .mixedAndBlended(found)
    }

    /// The weights at each cell of a window, however few prompts the model can be told.
    func cellWeights(in window: Region) -> RegionWeights { layout.weights(in: grid(window, cell: 1)) }

    private func grid(_ window: Region, cell: Int) -> RegionGrid {
        RegionGrid(window, cell: cell, pictureWidth: pictureWidth, pictureHeight: pictureHeight)
    }

    /// Evaluations of the network that the tile of a window takes in a step.
    func evaluations(in window: Region) -> Int {
        switch telling(in: window) {
        case .one(let content): guidances[content].needsUnconditional ? 2 : 1
        case .mixed(_, let guidance): guidance.needsUnconditional ? 2 : 1
        case .mixedAndBlended: 2
        case .blended(let weights): terms(weights).count
        }
    }

    /// The distinct prompts of contents that are denoised apart, each with its share of the prediction at each cell.
    ///
    /// A content with weight w and guidance g adds w·g to the share of its prompt and w·(1 - g) to that of its negative
    /// prompt: the sum over prompts is then the sum over contents of their guided predictions (Ho & Salimans 2022, eq. 6).
    func terms(_ weights: RegionWeights) -> [(prompt: String, share: [Float])] {
        var terms: [(prompt: String, share: [Float])] = []
        func add(_ prompt: String, _ weights: [Float], times factor: Float) {
            if let index = terms.firstIndex(where: { $0.prompt == prompt }) {
                for cell in weights.indices { terms[index].share[cell] += factor * weights[cell] }
            } else {
                terms.append((prompt, weights.map { factor * $0 }))
            }
        }
        for (content, weights) in zip(weights.contents, weights.weights) {
            let guidance = guidances[content]
            add(layout.contents[content].prompt, weights, times: Float(guidance.scale))
            if guidance.needsUnconditional { add(negatives[content], weights, times: Float(1 - guidance.scale)) }
        }
        return terms
    }
}
