import ChoirTensor

/// The noise of a stage's canvas: that of the request's seed, and in some parts that of another.
///
/// A cell has the seed of the last part that its middle lies in: a part of the map, a region, or a rectangle that was
/// given another seed; of the request, if that part names none. Cells keep their noise whatever seed their neighbours have.
struct CanvasNoise: Sendable {
    private let seed: UInt64
    private let given: Tensor?
    private let map: RegionMap?
    private let rectangles: [(rectangle: PictureRectangle, seed: UInt64?)]
    private let pictureWidth: Int
    private let pictureHeight: Int

    /// - Parameter given: Noise for the whole canvas in place of that of the request's seed.
    init(_ request: PaintRequest, pictureWidth: Int, pictureHeight: Int, given: Tensor? = nil) {
        seed = request.seed
        self.given = given
        map = request.map.flatMap { map in map.contents.contains { $0?.seed != nil } ? map : nil }
        rectangles =
            (request.regions ?? []).map { ($0.rectangle, $0.content.seed) }
            + (request.reseeds ?? []).map { ($0.rectangle, $0.seed) }
        self.pictureWidth = pictureWidth
        self.pictureHeight = pictureHeight
    }

    /// Normal numbers `[channels, region.height, region.width]` for cells of the canvas; see `CounterNoise`.
    func normal(region: Region, channels: Int, draw: Int) -> Tensor {
        var noise = normal(seed: nil, region: region, channels: channels, draw: draw)
        if let map { write(map, into: &noise, region, channels: channels, draw: draw) }
        // Without another seed below it, a rectangle of the request's own changes nothing.
        let first = map == nil ? rectangles.firstIndex { !isOwn($0.seed) } ?? rectangles.count : 0
        for (rectangle, seed) in rectangles[first...] {
            guard let part = cells(of: rectangle).intersection(region) else { continue }
            let other = normal(seed: seed, region: part, channels: channels, draw: draw)
            noise.write(other, x: part.x - region.x, y: part.y - region.y)
        }
        return noise
    }

    /// Whether a seed, or none, stands for the request's own noise.
    private func isOwn(_ other: UInt64?) -> Bool { other == nil || given == nil && other == seed }

    /// The noise of a seed everywhere; of the request, without one.
    private func normal(seed other: UInt64?, region: Region, channels: Int, draw: Int) -> Tensor {
        if other == nil, let given { return given.copy(region: region) }
        return CounterNoise(seed: other ?? seed).normal(region: region, channels: channels, draw: draw)
    }

    /// The cells whose middles lie in a rectangle.
    private func cells(of rectangle: PictureRectangle) -> Region {
        let range = { (fractions: ClosedRange<Double>, length: Int) in
            let first = Int((fractions.lowerBound * Double(length) - 0.5).rounded(.up))
            // The canvas may reach beyond the picture: what touches its edge goes on there.
            let last = Int((fractions.upperBound * Double(length) - 0.5).rounded(.up))
            return first..<max(first, fractions.upperBound == 1 ? Int(Int32.max) : last)
        }
        let (x, y) = (range(rectangle.columns, pictureWidth), range(rectangle.rows, pictureHeight))
        return Region(x: x.lowerBound, y: y.lowerBound, width: x.count, height: y.count)
    }

    private func write(_ map: RegionMap, into noise: inout Tensor, _ region: Region, channels: Int, draw: Int) {
        let plane = region.width * region.height
        let contents = (0..<plane).map { cell in
            map.content(
                x: (Double(region.x + cell % region.width) + 0.5) / Double(pictureWidth),
                y: (Double(region.y + cell / region.width) + 0.5) / Double(pictureHeight))
        }
        let seeds = map.contents.map { $0?.seed }
        for seed in Set(contents.map { seeds[$0] }) where !isOwn(seed) {
            let other = normal(seed: seed, region: region, channels: channels, draw: draw)
            other.withSpan { other in
                noise.withMutableSpan { noise in
                    for cell in 0..<plane where seeds[contents[cell]] == seed {
                        for channel in 0..<channels {
                            noise[unchecked: channel * plane + cell] = other[unchecked: channel * plane + cell]
                        }
                    }
                }
            }
        }
    }
}
