public import ChoirTensor

/// An arrangement of pictures of a set, side by side, in which all neighbours fit.
public struct TileMosaic: Hashable, Sendable {
    /// A picture in a place.
    public struct Placement: Hashable, Sendable {
        /// The index of the picture.
        public let image: Int

        /// How far it is turned clockwise.
        public let quarterTurns: Int
    }

    /// Places from left to right, rows from top to bottom.
    public let rows: [[Placement]]

    /// Arranges pictures at random.
    ///
    /// Every place takes any picture whose sides fit those to its left and above; a turned one only where no upright one
    /// fits. Where nothing fits, places before it are tried again.
    ///
    /// - Parameters:
    ///   - images: The set.
    ///   - isSquare: Whether pictures may be turned by a quarter.
    ///   - columns: Pictures from left to right, 1 or more.
    ///   - rows: Pictures from top to bottom, 1 or more.
    ///   - seed: The same seed gives the same arrangement.
    /// - Returns: Nil if the sides allow no such arrangement, or none was found after 100,000 attempts.
    public init?(images: [TileImage], isSquare: Bool, columns: Int, rows: Int, seed: UInt64) {
        precondition(columns > 0 && rows > 0, "a mosaic of \(columns) x \(rows)")
        let turns = isSquare ? [0, 1, 2, 3] : [0, 2]
        let label = { (placement: Placement, side: TileSide) in
            images[placement.image].sides[side.turned(by: -placement.quarterTurns)]
        }
        let joins = { (first: Placement, side: TileSide, second: Placement) in
            guard let one = label(first, side), let other = label(second, side.opposite) else { return false }
            return one.joins(other)
        }
        let choices = { (place: Int) in
            let order = CounterNoise(seed: seed).normal(
                region: Region(x: place, y: 0, width: 1, height: 1), channels: images.count * turns.count, draw: 0)
            return turns.indices.flatMap { turn in
                images.indices.sorted {
                    order.elements[turn * images.count + $0] < order.elements[turn * images.count + $1]
                }.map { Placement(image: $0, quarterTurns: turns[turn]) }
            }
        }
        var placed: [Placement] = []
        var untried = [choices(0)]
        var attempts = 0
        while placed.count < columns * rows {
            guard attempts < 100_000, !untried.isEmpty else { return nil }
            attempts += 1
            let place = placed.count
            guard !untried[place].isEmpty else {
                untried.removeLast()
                _ = placed.popLast()
                continue
            }
            let choice = untried[place].removeFirst()
            let fits =
                (place % columns == 0 || joins(placed[place - 1], .right, choice))
                && (place < columns || joins(placed[place - columns], .bottom, choice))
            guard fits else { continue }
            placed.append(choice)
            untried.append(choices(placed.count))
        }
        self.rows = stride(from: 0, to: placed.count, by: columns).map { Array(placed[$0..<$0 + columns]) }
    }

    /// One row of the mosaic as a picture.
    ///
    /// - Parameter pictures: The set as painted, all of one size.
    public func picture(of pictures: [Tensor], row: Int) -> Tensor {
        let (width, height) = (pictures[0].width, pictures[0].height)
        var mosaic = Tensor(shape: [pictures[0].shape[0], height, rows[row].count * width])
        for (x, place) in rows[row].enumerated() {
            mosaic.write(pictures[place.image].turned(by: place.quarterTurns), x: x * width, y: 0)
        }
        return mosaic
    }
}
