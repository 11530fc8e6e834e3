import ChoirTensor

/// How much each content of a request counts at each place.
///
/// A content's cover of a place is the share that it has of a square around it. The square is as large as the region's
/// feather, or as the place itself if that is larger: so a border is soft by the feather, and exact by area without.
/// From the last region to the first, each takes its cover or, if that is less, what the later ones left; the map's
/// contents share the rest by their covers, and the prompt takes what nothing covers. So weights sum to 1, later regions
/// win, and neighbours that share a side leave nothing between them.
struct RegionLayout: Hashable, Sendable {
    /// What a request shows: its own prompt first, then the map's contents, then the regions.
    let contents: [RegionContent]

    private let map: RegionMap?
    private let regions: [PaintRegion]

    /// The index of each of the map's contents in `contents`.
    private let mapContents: [Int]

    /// Less than this counts as nothing: no tile is denoised for it.
    private static let negligible = 1e-6

    init(_ request: PaintRequest) {
        regions = request.regions ?? []
        map = request.map
        var contents = [RegionContent(prompt: request.prompt)]
        mapContents = (request.map?.contents ?? []).map { content in
            guard let content else { return 0 }
            contents.append(content)
            return contents.count - 1
        }
        self.contents = contents + regions.map(\.content)
    }

    /// Whether there is nothing but the prompt.
    var isPlain: Bool { contents.count == 1 && map == nil }

    /// The content that alone counts in a whole grid; nil if there are several, or if it takes a closer look.
    func onlyContent(in grid: RegionGrid) -> Int? {
        for (index, region) in regions.enumerated().reversed() {
            let (columns, rows) = (grid.columns(region), grid.rows(region))
            let (x, y) = (region.rectangle.columns, region.rectangle.rows)
            if !columns.extent.meets(x) || !rows.extent.meets(y) { continue }
            let covers = columns.extent.isWithin(x) && rows.extent.isWithin(y)
            return covers ? contents.count - regions.count + index : nil
        }
        guard let map else { return 0 }
        let (columns, rows) = (grid.columns(map).extent.parts, grid.rows(map).extent.parts)
        let found = rows.flatMap { rows in columns.map { map.onlyContent(columns: $0, rows: rows) } }
        guard Set(found).count == 1, let only = found[0] else { return nil }
        return mapContents[only]
    }

    /// The weights of all contents that count anywhere in a grid.
    func weights(in grid: RegionGrid) -> RegionWeights {
        let cells = grid.width * grid.height
        var left = [Double](repeating: 1, count: cells)
        var weights: [Int: [Double]] = [:]
        for (index, region) in regions.enumerated().reversed() {
            let columns = grid.columns(region).shares(of: region.rectangle.columns)
            let rows = grid.rows(region).shares(of: region.rectangle.rows)
            guard columns.contains(where: { $0 > 0 }), rows.contains(where: { $0 > 0 }) else { continue }
            var taken = [Double](repeating: 0, count: cells)
            for cell in 0..<cells where left[cell] > 0 {
                taken[cell] = min(columns[cell % grid.width] * rows[cell / grid.width], left[cell])
                left[cell] -= taken[cell]
            }
            weights[contents.count - regions.count + index] = taken
        }
        if let map {
            let (columns, rows) = (grid.columns(map).boxes, grid.rows(map).boxes)
            for (mapContent, index) in mapContents.enumerated() {
                var taken = weights[index] ?? [Double](repeating: 0, count: cells)
                for cell in 0..<cells where left[cell] > 0 {
                    let (column, row) = (columns[cell % grid.width], rows[cell / grid.width])
                    taken[cell] +=
                        left[cell]
                        * row.mean { rows in
                            column.mean { map.share(of: mapContent, columns: $0, rows: rows) }
                        }
                }
                weights[index] = taken
            }
        } else {
            weights[0] = left
        }
        return RegionWeights(weights, width: grid.width, height: grid.height, negligible: Self.negligible)
    }
}

/// Contents and their weights at the cells of a grid; at each cell the weights sum to 1.
struct RegionWeights: Sendable {
    /// Columns of the grid.
    let width: Int

    /// Rows of the grid.
    let height: Int

    /// Indices of `RegionLayout.contents`, rising.
    let contents: [Int]

    /// For each of `contents` one weight a cell, row by row.
    let weights: [[Float]]

    /// Drops what is negligible, and lets the rest sum to 1; what is alone counts exactly 1.
    fileprivate init(_ raw: [Int: [Double]], width: Int, height: Int, negligible: Double) {
        let cells = width * height
        let sorted = raw.sorted { $0.key < $1.key }
        var sums = [Double](repeating: 0, count: cells)
        for (_, weights) in sorted {
            for cell in 0..<cells where weights[cell] > negligible { sums[cell] += weights[cell] }
        }
        let shares = sorted.map { content, weights in
            (content, (0..<cells).map { weights[$0] > negligible ? Float(weights[$0] / sums[$0]) : 0 })
        }.filter { $1.contains { $0 > 0 } }
        self.width = width
        self.height = height
        contents = shares.map(\.0)
        weights = shares.map(\.1)
    }
}
