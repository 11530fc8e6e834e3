public import ChoirTensor

extension Painting {
    /// Gives the picture from top to bottom, strip after strip, so that it is never whole in memory.
    ///
    /// - Parameter body: Is given `[channels, rows, width]` in -1 ... 1, of the picture's width; `channels` are those of
    ///   the picture, and the strips have as many rows as it in all. A codec waits until it returns.
    /// - Throws: What the codec or `body` throws.
    public func strips(_ body: (Tensor) async throws -> Void) async throws {
        let (width, height) = (request.size.width, request.size.height)
        guard let codec else {
            for top in stride(from: 0, to: height, by: 64) {
                let rows = Region(x: 0, y: top, width: width, height: min(64, height - top))
                try await body(canvas.copy(region: rows))
            }
            return
        }
        // Copies of the other edge around a canvas that wraps, as far as a decoder sees.
        let (x, y) = (request.wraps(.x) ? Self.decodedMargin : 0, request.wraps(.y) ? Self.decodedMargin : 0)
        let around = Region(x: -x, y: -y, width: canvas.width + 2 * x, height: canvas.height + 2 * y)
        var above = y * codec.pixelsPerCell
        let left = x * codec.pixelsPerCell
        var rest = height
        try await codec.decode(
            x + y > 0 ? canvas.copy(region: around, border: plan.finest.tiles.border) : canvas
        ) { strip in
            let skipped = min(above, strip.height)
            above -= skipped
            let rows = min(rest, strip.height - skipped)
            guard rows > 0 else { return }
            rest -= rows
            let isWhole = rows == strip.height && width == strip.width
            let part = Region(x: left, y: skipped, width: width, height: rows)
            try await body(isWhole ? strip : strip.copy(region: part))
        }
    }

    /// Cells beyond the edge of a canvas that wraps which are decoded with it: a decoder of the usual shape sees 11.
    private static let decodedMargin = 12
}
