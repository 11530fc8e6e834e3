import ChoirSampling
import ChoirTensor

/// What the tiles of a stage are told, and how many evaluations that takes.
struct StageRegions: Hashable, Sendable {
    let layout: RegionLayout

    /// How predictions of each of the layout's contents are guided at this stage.
    let guidances: [Guidance]

    /// The scale of guidance that the network reads for each of the layout's contents; 1 if it reads none.
    let readScales: [Double]

    /// Negative prompts of the layout's contents.
    let negatives: [String]

    /// The side of the square of cells that the model can give a prompt of its own; nil for one prompt an evaluation.
    private let cell: Int?
    private let pictureWidth: Int
    private let pictureHeight: Int
    private let wrapsX: Bool
    private let wrapsY: Bool

    /// - Parameter guidance: The scale of guidance that a requested one means at this stage.
    init(
        request: PaintRequest, traits: ModelTraits, pictureWidth: Int, pictureHeight: Int,
        guidance: (Double?) -> Double
    ) throws(SamplingError) {
        layout = RegionLayout(request)
        cell = traits.conditioningCell
        self.pictureWidth = pictureWidth
        self.pictureHeight = pictureHeight
        (wrapsX, wrapsY) = (request.wraps(.x), request.wraps(.y))
        negatives = layout.contents.map { $0.negativePrompt ?? request.negativePrompt }
        let scales = layout.contents.map { guidance($0.guidance ?? request.guidance) }
        readScales = scales.map { traits.readsGuidance ? $0 : 1 }
        guidances = try scales.map { scale throws(SamplingError) in
            try Guidance(scale: traits.readsGuidance ? 1 : scale)
        }
    }

    /// What a tile is told.
    enum Telling {
        /// One content alone.
        case one(Int)
        /// Contents that are mixed in each square's conditioning, all with the guidance of the first.
        case mixed(RegionWeights)
        /// The same, with guidance that differs by cell.
        case mixedAndBlended(RegionWeights)
        /// Contents that are denoised apart, and mixed in the prediction of each cell.
        case blended(RegionWeights)
    }

    /// What an evaluation of cells is told.
    func telling(in seen: SeenCells) -> Telling {
        if layout.isPlain { return .one(0) }
        let cell = seen.isWindow ? cell : nil
        let grid = grid(seen, cell: cell ?? 1)
        if let only = layout.onlyContent(in: grid) { return .one(only) }
        let found = layout.weights(in: grid)
        if found.contents.count == 1 { return .one(found.contents[0]) }
        guard cell != nil else { return .blended(found) }
        // A network reads one scale of guidance for a whole tile.
        guard Set(found.contents.map { readScales[$0] }).count == 1 else { return .blended(cellWeights(in: seen)) }
        return Set(found.contents.map { guidances[$0] }).count == 1 ? .mixed(found) : .mixedAndBlended(found)
    }

    /// The weights at each cell, however few prompts the model can be told.
    func cellWeights(in seen: SeenCells) -> RegionWeights { layout.weights(in: grid(seen, cell: 1)) }

    private func grid(_ seen: SeenCells, cell: Int) -> RegionGrid {
        RegionGrid(
            seen, cell: cell, pictureWidth: pictureWidth, pictureHeight: pictureHeight, wrapsX: wrapsX, wrapsY: wrapsY
        )
    }

    /// Evaluations of the network that cells take in a step.
    func evaluations(in seen: SeenCells) -> Int {
        switch telling(in: seen) {
        case .one(let content): guidances[content].needsUnconditional ? 2 : 1
        case .mixed(let weights): guidances[weights.contents[0]].needsUnconditional ? 2 : 1
        case .mixedAndBlended: 2
        case .blended(let weights): terms(weights).count
        }
    }

    /// What an evaluation of a whole tile is told.
    struct Term {
        let prompt: String

        /// The scale of guidance that the network reads.
        let readScale: Double

        /// The evaluation's share of the prediction at each cell.
        var share: [Float]
    }

    /// The distinct evaluations for contents that are denoised apart.
    ///
    /// A content with weight w and guidance g adds w·g to the share of its prompt and w·(1 - g) to that of its negative
    /// prompt: the sum over prompts is then the sum over contents of their guided predictions (Ho & Salimans 2022, eq. 6).
    func terms(_ weights: RegionWeights) -> [Term] {
        var terms: [Term] = []
        func add(_ prompt: String, _ readScale: Double, _ weights: [Float], times factor: Float) {
            if let index = terms.firstIndex(where: { ($0.prompt, $0.readScale) == (prompt, readScale) }) {
                for cell in weights.indices { terms[index].share[cell] += factor * weights[cell] }
            } else {
                terms.append(Term(prompt: prompt, readScale: readScale, share: weights.map { factor * $0 }))
            }
        }
        for (content, weights) in zip(weights.contents, weights.weights) {
            let (guidance, readScale) = (guidances[content], readScales[content])
            add(layout.contents[content].prompt, readScale, weights, times: Float(guidance.scale))
            if guidance.needsUnconditional {
                add(negatives[content], readScale, weights, times: Float(1 - guidance.scale))
            }
        }
        return terms
    }
}
