import ChoirSampling
import ChoirTensor

/// Noise at a stage's first level, over the upscaled picture of the stage before if the stage starts below pure noise.
///
///     x = alpha · upscaled + sigma · n
struct StartingCanvas: Sendable {
    let stage: Stage
    let noise: CanvasNoise
    let channels: Int
    let coarser: Tensor?
    let scaleFactor: Int

    /// Rows that are made at a time; a multiple of every scale factor.
    private static let bandHeight = 128

    /// The canvas, made in bands at the same time.
    func make() async throws -> Tensor {
        let height = stage.tiles.rows.length
        var canvas = Tensor(shape: stage.canvasShape(channels: channels))
        try await withThrowingTaskGroup(of: (Int, Tensor).self) { group in
            for top in stride(from: 0, to: height, by: Self.bandHeight) {
                group.addTask {
                    try Task.checkCancellation()
                    return (top, band(top..<min(top + Self.bandHeight, height)))
                }
            }
            for try await (top, band) in group { canvas.write(band, x: 0, y: top) }
        }
        return canvas
    }

    private func band(_ rows: Range<Int>) -> Tensor {
        let level = stage.schedule.levels[0]
        let region = Region(x: 0, y: rows.lowerBound, width: stage.tiles.columns.length, height: rows.count)
        let noise = noise.normal(region: region, channels: channels, draw: stage.scale)
        var band = level.sigma == 1 ? noise : noise.scaled(by: Float(level.sigma))
        if stage.refines, let coarser, level.alpha > 0 {
            band.add(upscaled(coarser, region), scaledBy: Float(level.alpha))
        }
        return band
    }

    /// A region of the upscaled picture, made from no more of the picture than it needs: one row more on either side.
    private func upscaled(_ coarser: Tensor, _ region: Region) -> Tensor {
        let top = max(0, region.minY / scaleFactor - 1)
        let bottom = min(coarser.height, (region.maxY + scaleFactor - 1) / scaleFactor + 1)
        let rows = coarser.copy(region: Region(x: 0, y: top, width: coarser.width, height: bottom - top))
        let above = Region(
            x: region.x, y: region.y - top * scaleFactor, width: region.width, height: region.height)
        return rows.upsampledBilinear(by: scaleFactor).copy(region: above)
    }
}
