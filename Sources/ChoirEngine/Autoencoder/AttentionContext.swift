import ChoirTensor

/// What the cells of a canvas attend to: all its cells, or means of squares of them when there are too many.
struct AttentionContext {
    private let width: Int
    private let channels: Int
    private let side: Int
    private let columns: Int
    private let rows: Int
    /// `[tokens, channels]`
    private var sums: [Float]
    private var counts: [Int]

    var tokenCount: Int { rows * columns }

    /// An empty context.
    ///
    /// - Parameters:
    ///   - height: Rows of the canvas.
    ///   - width: Columns of the canvas.
    ///   - channels: Of a cell.
    ///   - limit: The most tokens; positive.
    init(height: Int, width: Int, channels: Int, limit: Int) {
        var side = 1
        while ((height + side - 1) / side) * ((width + side - 1) / side) > limit { side += 1 }
        self.side = side
        self.width = width
        self.channels = channels
        rows = (height + side - 1) / side
        columns = (width + side - 1) / side
        sums = [Float](repeating: 0, count: rows * columns * channels)
        counts = [Int](repeating: 0, count: rows * columns)
    }

    /// Adds a part of a window, `[1, C, h, w]`, whose first cell lies at column `x`, row `y` of the canvas.
    /// Windows must come in the same order every time, since a token may have cells of several.
    mutating func add(_ tensor: Tensor, part: Region, x: Int, y: Int) {
        tensor.withSpan { source in
            for channel in 0..<channels {
                for row in 0..<part.height {
                    let from = (channel * tensor.height + part.y + row) * tensor.width + part.x
                    let first = (y + row) / side * columns
                    for column in 0..<part.width {
                        let token = first + (x + column) / side
                        sums[token * channels + channel] += source[unchecked: from + column]
                    }
                }
            }
        }
        for row in 0..<part.height {
            for column in 0..<part.width { counts[(y + row) / side * columns + (x + column) / side] += 1 }
        }
    }

    /// The means, `[1, tokens, channels]`.
    func tokens() -> Tensor {
        var tensor = Tensor(shape: [1, tokenCount, channels])
        tensor.withMutableSpan { destination in
            for index in destination.indices {
                destination[unchecked: index] = sums[index] / Float(max(counts[index / channels], 1))
            }
        }
        return tensor
    }
}
