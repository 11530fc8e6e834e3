import Foundation

/// The sizes that a picture is painted at, one after another, in cells.
struct Ladder {
    /// One of the sizes.
    struct Rung {
        /// Columns of the picture.
        var width: Int

        /// Rows of the picture.
        var height: Int

        /// The index in `ModelTraits.scales`.
        var scale: Int

        /// Cells of the full size that are one of this size, a side, in a model whose tiles see the coarser picture.
        var reduction = 1

        /// Whether one tile paints it all.
        var isOneTile = false
    }

    /// The sizes from the full one to the coarsest.
    let rungs: [Rung]

    /// The model's own scales of a picture of so many cells.
    init(width: Int, height: Int, scalesOf traits: ModelTraits) {
        rungs = Self.scales(of: Rung(width: width, height: height, scale: 0), traits: traits)
    }

    /// The sizes that the model and the request ask for.
    init(request: PaintRequest, traits: ModelTraits) {
        let cells = { (pixels: Int) in (pixels + traits.pixelsPerCell - 1) / traits.pixelsPerCell }
        let full = Rung(width: cells(request.size.width), height: cells(request.size.height), scale: 0)
        guard request.bridges.contains(.coarse) else {
            rungs = [full]
            return
        }
        rungs =
            traits.seesCoarser ? Self.scales(of: full, traits: traits) : Self.enlargements(to: full, tile: traits.tile)
    }

    /// Cells along a side of a rung's picture that the tiles of the next finer one see as one.
    func pooling(of rung: Int, traits: ModelTraits) -> Int {
        guard rung > 0, traits.seesCoarser else { return 1 }
        return traits.scaleFactor * rungs[rung - 1].reduction / rungs[rung].reduction
    }

    /// What the sides of the picture are multiples of, if nothing is to be rounded: the cells of the full size that are one
    /// of those that tiles see of the coarsest rung.
    func unit(traits: ModelTraits) -> Int {
        rungs.count > 1 && traits.seesCoarser ? rungs[rungs.count - 2].reduction * traits.scaleFactor : 1
    }

    /// The model's own scales, from 0 on, that have at least one aligned square of cells; and the coarsest again and again,
    /// until the canvas is no larger than what it composes well. A network has seen small canvases as a whole, but of a large
    /// one each of its cells sees a part, and puts one small form beside another.
    private static func scales(of full: Rung, traits: ModelTraits) -> [Rung] {
        let longer = max(full.width, full.height)
        var rungs = [full]
        func add(_ scale: Int, reduction: Int) {
            let reduced = { (side: Int) in (side + reduction - 1) / reduction }
            rungs.append(
                Rung(width: reduced(full.width), height: reduced(full.height), scale: scale, reduction: reduction))
        }
        for (scale, reduction) in traits.scales.map(\.reduction).enumerated().dropFirst() {
            guard longer / reduction >= traits.alignment else { return rungs }
            add(scale, reduction: reduction)
        }
        guard let composedSide = traits.composedSide else { return rungs }
        let shorter = min(full.width, full.height)
        while let coarsest = rungs.last, shorter / coarsest.reduction / traits.scaleFactor >= composedSide {
            add(coarsest.scale, reduction: coarsest.reduction * traits.scaleFactor)
        }
        return rungs
    }

    /// The model's own size, and from there to the full one by equal factors near 2.
    ///
    /// The first size has the area of a tile, in the picture's shape, but no side that is shorter than half of a tile.
    /// Where that makes it one tile or nearly so, it is painted as a single one, whatever its shape: nothing composes a
    /// picture better than being seen as a whole.
    private static func enlargements(to full: Rung, tile: Int) -> [Rung] {
        let (width, height, tile) = (Double(full.width), Double(full.height), Double(tile))
        let reduction = min((width * height).squareRoot() / tile, min(width, height) / (tile / 2))
        let count = Int((log2(max(reduction, 1)) - 0.5).rounded(.up))
        guard count > 0 else { return [full] }
        return (0...count).map { step in
            guard step > 0 else { return full }
            let factor = pow(reduction, Double(step) / Double(count))
            let side = { (length: Double) in max(1, Int((length / factor).rounded())) }
            var rung = Rung(width: side(width), height: side(height), scale: 0)
            rung.isOneTile = step == count && Double(rung.width * rung.height) <= 1.1 * tile * tile
            return rung
        }
    }
}
