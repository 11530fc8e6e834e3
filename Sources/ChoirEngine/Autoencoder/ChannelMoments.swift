import ChoirTensor

/// The number, sum and sum of squares of what each channel holds.
struct ChannelMoments: Sendable {
    private(set) var count = 0
    private(set) var sums: [Double]
    private(set) var squares: [Double]

    init(channels: Int) {
        sums = [Double](repeating: 0, count: channels)
        squares = sums
    }

    /// The cells of a part of a picture, `[1, C, h, w]` or `[C, h, w]`.
    init(_ picture: Tensor, part: Region) {
        self.init(channels: picture.shape[picture.shape.rank - 3])
        add(picture, part: part)
    }

    /// Adds the cells of a part of a picture, `[1, C, h, w]`.
    mutating func add(_ picture: Tensor, part: Region) {
        guard !part.isEmpty else { return }
        let (height, width) = (picture.height, picture.width)
        count += part.width * part.height
        picture.elements.withUnsafeBufferPointer { elements in
            guard let base = elements.baseAddress else { return }
            for channel in sums.indices {
                for row in part.minY..<part.maxY {
                    let start = base + ((channel * height + row) * width + part.x)
                    let (sum, square) = Self.moments(UnsafeBufferPointer(start: start, count: part.width))
                    sums[channel] += sum
                    squares[channel] += square
                }
            }
        }
    }

    /// Adds what another part of the same picture holds.
    mutating func add(_ other: ChannelMoments) {
        count += other.count
        for channel in sums.indices {
            sums[channel] += other.sums[channel]
            squares[channel] += other.squares[channel]
        }
    }

    /// The moments of groups of channels that follow one another.
    func grouped(_ groups: Int) -> GroupMoments {
        let perGroup = sums.count / groups
        let number = Double(max(count, 1) * perGroup)
        func means(_ sums: [Double]) -> [Double] {
            (0..<groups).map { sums[$0 * perGroup..<($0 + 1) * perGroup].reduce(0, +) / number }
        }
        return GroupMoments(means: means(sums), squares: means(squares))
    }

    /// Sums of a row: eight in parallel, since rounding forbids the compiler to reorder one.
    private static func moments(_ row: UnsafeBufferPointer<Float>) -> (Double, Double) {
        var sum = SIMD8<Float>.zero
        var square = SIMD8<Float>.zero
        let whole = row.count / 8 * 8
        let bytes = UnsafeRawBufferPointer(row)
        for index in stride(from: 0, to: whole, by: 8) {
            let values = bytes.loadUnaligned(fromByteOffset: 4 * index, as: SIMD8<Float>.self)
            sum += values
            square += values * values
        }
        var (total, totalSquare) = (Double(sum.sum()), Double(square.sum()))
        for index in whole..<row.count {
            total += Double(row[index])
            totalSquare += Double(row[index]) * Double(row[index])
        }
        return (total, totalSquare)
    }
}
