import Choir
import ChoirTensor

/// Maps a range of values to a picture, cell by pixel: a canvas in physical units, such as metres above the sea, or one
/// whose black is to be set.
///
///     picture = 2 (value - black) / (white - black) - 1
struct ValueRangeCodec: LatentCodec {
    /// A cell is a pixel.
    var pixelsPerCell: Int { 1 }

    /// Channels of the canvas, which are those of the picture.
    let latentChannels: Int

    private let range: ClosedRange<Double>

    /// - Parameters:
    ///   - channels: Channels of the canvas.
    ///   - range: The values of black and white.
    init(channels: Int, range: ClosedRange<Double>) {
        latentChannels = channels
        self.range = range
    }

    /// Rows that are mapped at a time.
    private static let rows = 64

    /// The picture in strips of 64 rows.
    func decode(_ canvas: Tensor, strip: (Tensor) async throws -> Void) async throws {
        for top in stride(from: 0, to: canvas.height, by: Self.rows) {
            let region = Region(x: 0, y: top, width: canvas.width, height: min(Self.rows, canvas.height - top))
            var picture = canvas.copy(region: region)
            let (black, scale) = (range.lowerBound, 2 / (range.upperBound - range.lowerBound))
            picture.withMutableSpan { values in
                // In `Double`: black may be large beside the range.
                for index in values.indices { values[index] = Float((Double(values[index]) - black) * scale - 1) }
            }
            try await strip(picture)
        }
    }

    /// A strip, and what becomes of it.
    func decodingBytes(height: Int, width: Int) -> Int {
        2 * min(height, Self.rows) * width * latentChannels * MemoryLayout<Float>.size
    }
}
