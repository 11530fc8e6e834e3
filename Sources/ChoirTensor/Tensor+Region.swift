// Windows of tensors of shape [..., height, width]: [channels, height, width] or [1, channels, height, width].
extension Tensor {
    /// The number of rows of a tensor `[..., height, width]`.
    public var height: Int { shape[shape.rank - 2] }

    /// The number of columns of a tensor `[..., height, width]`.
    public var width: Int { shape[shape.rank - 1] }

    /// A copy of the cells of `region` in all channels; the region may reach outside of this canvas.
    ///
    /// - Returns: A tensor `[..., region.height, region.width]`.
    public func copy(region: Region, border: BorderMode = .zero) -> Tensor {
        var window = Tensor(shape: shape(height: region.height, width: region.width))
        elements.withUnsafeBufferPointer { canvas in
            window.elements.withUnsafeMutableBufferPointer { window in
                layout.forEachRun(under: region, border: border) { run in
                    let start = (run.plane * region.height + run.row) * region.width + run.column
                    window.copy(canvas[run.canvas], to: start)
                }
            }
        }
        return window
    }

    /// Replaces the cells from column `x`, row `y` on by those of a tile, in all channels.
    ///
    /// - Parameters:
    ///   - tile: A tensor `[..., height, width]` with as many channels as this canvas.
    ///   - part: The part of the tile to write, in the tile's own cells; nil for all of it.
    ///   - x: The canvas column that receives the first column of the part; may lie outside of the canvas.
    ///   - y: The canvas row that receives the first row of the part; may lie outside of the canvas.
    ///   - border: Where cells outside of the canvas go. A tile larger than a wrapping canvas meets cells twice; which
    ///     value stays is the one of the greater tile row and column.
    /// - Precondition: The part lies inside the tile and the channel counts are the same.
    public mutating func write(
        _ tile: Tensor,
        part: Region? = nil,
        x: Int,
        y: Int,
        border: BorderMode = .zero
    ) {
        let whole = Region(x: 0, y: 0, width: tile.width, height: tile.height)
        let part = part ?? whole
        precondition(whole.contains(part), "\(part) is outside of a tile of shape \(tile.shape)")
        precondition(planeCount == tile.planeCount, "shapes \(shape) and \(tile.shape) differ in channels")
        let target = Region(x: x, y: y, width: part.width, height: part.height)
        let layout = layout
        tile.elements.withUnsafeBufferPointer { source in
            elements.withUnsafeMutableBufferPointer { canvas in
                layout.forEachRun(under: target, border: border) { run in
                    let row = run.plane * whole.height + part.y + run.row
                    let start = row * whole.width + part.x + run.column
                    canvas.copy(source[start..<(start + run.canvas.count)], to: run.canvas.lowerBound)
                }
            }
        }
    }

    /// Adds a weighted tile to the cells from column `x`, row `y` on, in all channels.
    ///
    /// Each cell grows by `tile * (rowWeights[row] * columnWeights[column])`, computed in this order in `Float`, so
    /// that accumulating ones gives exactly the sum of the weights that other tiles were multiplied by.
    ///
    /// - Parameters:
    ///   - tile: A tensor `[..., height, width]` with as many channels as this canvas.
    ///   - x: The canvas column that receives the tile's first column; may lie outside of the canvas.
    ///   - y: The canvas row that receives the tile's first row; may lie outside of the canvas.
    ///   - rowWeights: One weight for each row of the tile.
    ///   - columnWeights: One weight for each column of the tile.
    ///   - border: Where cells outside of the canvas go.
    /// - Precondition: The weight counts match the tile and the channel counts are the same.
    public mutating func accumulate(
        _ tile: Tensor,
        x: Int,
        y: Int,
        rowWeights: [Float],
        columnWeights: [Float],
        border: BorderMode = .zero
    ) {
        let (tileHeight, tileWidth) = (tile.height, tile.width)
        precondition(
            rowWeights.count == tileHeight && columnWeights.count == tileWidth,
            "\(rowWeights.count) row and \(columnWeights.count) column weights for a tile of shape \(tile.shape)"
        )
        precondition(planeCount == tile.planeCount, "shapes \(shape) and \(tile.shape) differ in channels")
        let target = Region(x: x, y: y, width: tileWidth, height: tileHeight)
        let layout = layout
        tile.elements.withUnsafeBufferPointer { source in
            columnWeights.withUnsafeBufferPointer { columnWeights in
                elements.withUnsafeMutableBufferPointer { canvas in
                    layout.forEachRun(under: target, border: border) { run in
                        let start = (run.plane * tileHeight + run.row) * tileWidth + run.column
                        let rowWeight = rowWeights[run.row]
                        for index in 0..<run.canvas.count {
                            let weight = rowWeight * columnWeights[run.column + index]
                            canvas[run.canvas.lowerBound + index] += source[start + index] * weight
                        }
                    }
                }
            }
        }
    }

    /// How the planes of this tensor lie in `elements`.
    private var layout: PlaneLayout {
        precondition(shape.rank >= 2, "shape \(shape) has no height and width")
        return PlaneLayout(planeCount: planeCount, height: height, width: width)
    }
}

extension Tensor {
    /// The product of all extents but height and width: the number of channels when there is one picture.
    var planeCount: Int { shape.dimensions.dropLast(2).reduce(1, *) }

    /// This shape with another height and width.
    func shape(height: Int, width: Int) -> Shape {
        precondition(shape.rank >= 2, "shape \(shape) has no height and width")
        return Shape(shape.dimensions.dropLast(2) + [height, width])
    }
}

/// Rows of a canvas that lie one after another, channel after channel.
private struct PlaneLayout {
    var planeCount: Int
    var height: Int
    var width: Int

    /// Consecutive cells of one row of one channel that a window shares with the canvas.
    struct Run {
        /// The channel.
        var plane: Int
        /// The row inside the window.
        var row: Int
        /// The first column inside the window.
        var column: Int
        /// The elements of the canvas.
        var canvas: Range<Int>
    }

    /// Calls `body` for every run of cells that `window` shares with the canvas, by channel, row and column.
    func forEachRun(under window: Region, border: BorderMode, _ body: (Run) -> Void) {
        let rows = AxisSegment.segments(start: window.y, count: window.height, extent: height, wraps: border.wrapsY)
        let columns = AxisSegment.segments(start: window.x, count: window.width, extent: width, wraps: border.wrapsX)
        for plane in 0..<planeCount {
            for rowSegment in rows {
                for index in 0..<rowSegment.count {
                    let rowStart = (plane * height + rowSegment.canvas + index) * width
                    for segment in columns {
                        let start = rowStart + segment.canvas
                        body(
                            Run(
                                plane: plane,
                                row: rowSegment.window + index,
                                column: segment.window,
                                canvas: start..<(start + segment.count)
                            )
                        )
                    }
                }
            }
        }
    }
}

extension UnsafeMutableBufferPointer<Float> {
    fileprivate func copy(_ source: Slice<UnsafeBufferPointer<Float>>, to start: Int) {
        _ = UnsafeMutableBufferPointer(rebasing: self[start..<(start + source.count)])
            .update(fromContentsOf: UnsafeBufferPointer(rebasing: source))
    }
}
