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
        var rest = height
        try await codec.decode(canvas) { strip in
            let rows = min(rest, strip.height)
            guard rows > 0 else { return }
            rest -= rows
            let isWhole = rows == strip.height && width == strip.width
            try await body(isWhole ? strip : strip.copy(region: Region(x: 0, y: 0, width: width, height: rows)))
        }
    }
}
