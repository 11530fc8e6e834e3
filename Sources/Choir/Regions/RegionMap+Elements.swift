import ChoirTensor

extension RegionMap {
    /// The most elements that are laid out; a picture of more is told all of them everywhere.
    public static let maximumElements = 9

    /// How many places a picture has for its elements, at least: so that one of two or three is seen more than once.
    private static let fewestPlaces = 6

    /// Broader than that of a painted map: nobody drew these borders.
    private static let featherOfElements = 0.1

    /// Cells along the longer side.
    private static let cellsOfElements = 128

    /// How many candidates each place is the best of, for it and each place before: more spread more evenly.
    private static let candidatesPerPlace = 16

    /// A map that gives each element places of its own, spread evenly and at random.
    ///
    /// Every cell belongs to its nearest place. Each place is the best of some candidates, that with the greatest distance
    /// to those before (the best-candidate algorithm of Mitchell 1991, "Spectrally optimal sampling for distribution ray
    /// tracing"), and the elements take turns: so none is crowded out.
    ///
    /// - Parameters:
    ///   - elements: What they show, 2 ... `maximumElements`.
    ///   - size: The picture's size; places know its shape, and nothing else of it.
    ///   - tileable: The directions in which opposite edges meet; there places are neighbours across them.
    ///   - seed: The same seed gives the same places.
    /// - Throws: `RequestError` if there are too few or too many elements.
    public init(
        elements: [String], size: PixelSize, tileable: WrappedAxes? = nil, seed: UInt64
    ) throws(RequestError) {
        guard (2...Self.maximumElements).contains(elements.count) else {
            throw RequestError("elements", found: "\(elements.count)", expected: "2 to \(Self.maximumElements)")
        }
        let rounds = (Self.fewestPlaces + elements.count - 1) / elements.count
        let plane = Plane(size, tileable: tileable)
        let places = plane.places(elements.count * rounds, seed: seed)
        let longer = max(plane.width, plane.height)
        let cells = { (side: Double) in max(1, Int((Double(Self.cellsOfElements) * side / longer).rounded())) }
        let (columns, rows) = (cells(plane.width), cells(plane.height))
        var nearest: [UInt8] = []
        for row in 0..<rows {
            for column in 0..<columns {
                let middle = Plane.Point(
                    x: (Double(column) + 0.5) / Double(columns) * plane.width,
                    y: (Double(row) + 0.5) / Double(rows) * plane.height)
                let distances = places.map { plane.squaredDistance($0, middle) }
                let place = distances.indices.min { distances[$0] < distances[$1] } ?? 0
                nearest.append(UInt8(place % elements.count))
            }
        }
        try self.init(
            width: columns, height: rows, cells: nearest, contents: elements.map { RegionContent(prompt: $0) },
            feather: Self.featherOfElements)
    }

    /// The picture's area, its shorter side being 1.
    private struct Plane {
        struct Point {
            let x: Double
            let y: Double
        }

        let width: Double
        let height: Double
        let tileable: WrappedAxes?

        init(_ size: PixelSize, tileable: WrappedAxes?) {
            let shorter = Double(min(size.width, size.height))
            (width, height) = (Double(size.width) / shorter, Double(size.height) / shorter)
            self.tileable = tileable
        }

        func squaredDistance(_ a: Point, _ b: Point) -> Double {
            let along = { (axis: CanvasAxis, distance: Double, length: Double) in
                tileable?.contains(axis) == true ? min(distance, length - distance) : distance
            }
            let (x, y) = (along(.x, abs(a.x - b.x), width), along(.y, abs(a.y - b.y), height))
            return x * x + y * y
        }

        func places(_ count: Int, seed: UInt64) -> [Point] {
            let key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
            let fraction = { (word: UInt32) in (Double(word) + 0.5) / 4_294_967_296 }
            var places: [Point] = []
            for index in 0..<count {
                let candidates = (0..<RegionMap.candidatesPerPlace * (index + 1)).map { candidate in
                    let words = philox4x32(
                        counter: SIMD4(UInt32(candidate), UInt32(index), 0, NoiseDraw.places), key: key)
                    return Point(x: fraction(words.x) * width, y: fraction(words.y) * height)
                }
                let clearances = candidates.map { candidate in
                    places.map { squaredDistance($0, candidate) }.min() ?? 0
                }
                let best = clearances.indices.max { clearances[$0] < clearances[$1] } ?? 0
                places.append(candidates[best])
            }
            return places
        }
    }
}
