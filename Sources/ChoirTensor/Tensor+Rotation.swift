extension Tensor {
    /// The picture turned clockwise, for a tensor `[..., height, width]`.
    ///
    /// - Parameter quarterTurns: Any number; 1 brings the right edge to the bottom.
    /// - Returns: A tensor with height and width exchanged if the number is odd.
    public func turned(by quarterTurns: Int) -> Tensor {
        let turns = ((quarterTurns % 4) + 4) % 4
        guard turns > 0 else { return self }
        let (height, width) = (height, width)
        var turned = Tensor(shape: turns == 2 ? shape : shape(height: width, width: height))
        let (rows, columns) = (turned.height, turned.width)
        elements.withUnsafeBufferPointer { source in
            turned.elements.withUnsafeMutableBufferPointer { target in
                for plane in 0..<planeCount {
                    for row in 0..<rows {
                        for column in 0..<columns {
                            let (y, x) =
                                switch turns {
                                case 1: (height - 1 - column, row)
                                case 2: (height - 1 - row, width - 1 - column)
                                default: (column, width - 1 - row)
                                }
                            target[(plane * rows + row) * columns + column] = source[(plane * height + y) * width + x]
                        }
                    }
                }
            }
        }
        return turned
    }
}
