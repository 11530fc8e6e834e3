import ChoirSampling
import ChoirTensor

/// Noise at a stage's first level, over the enlarged picture of the stage before if the stage starts below pure noise.
///
///     x = alpha · enlarged + sigma · n
struct StartingCanvas: Sendable {
    /// The picture of the stage before.
    struct Coarser: Sendable {
        /// Its canvas, which may reach beyond it on the right and below.
        let canvas: Tensor

        /// Its stage.
        let stage: Stage
    }

    let stage: Stage
    let noise: CanvasNoise
    let traits: ModelTraits
    let coarser: Coarser?

    /// The canvas, made in bands at the same time.
    func make() async throws -> Tensor {
        try await Tensor.madeInBands(shape: stage.canvasShape(channels: traits.channels)) { band($0) }
    }

    private func band(_ rows: Range<Int>) -> Tensor {
        let level = stage.schedule.levels[0]
        let region = Region(x: 0, y: rows.lowerBound, width: stage.tiles.columns.length, height: rows.count)
        let noise = noise.normal(region: region, channels: traits.channels, draw: NoiseDraw.start(rung: stage.rung))
        // Where nothing lies below, schedulers may differ a little from the level.
        let deviation = stage.refines ? level.sigma : stage.schedule.startDeviation
        var band = deviation == 1 ? noise : noise.scaled(by: Float(deviation))
        if stage.refines, let coarser, level.alpha > 0 {
            band.add(enlarged(coarser, region), scaledBy: Float(level.alpha))
        }
        return band
    }

    private func enlarged(_ coarser: Coarser, _ region: Region) -> Tensor {
        guard traits.seesCoarser else {
            return coarser.canvas.resizedBicubic(
                region: region,
                stepX: Double(coarser.stage.contentWidth) / Double(stage.contentWidth),
                stepY: Double(coarser.stage.contentHeight) / Double(stage.contentHeight))
        }
        return upsampled(coarser.canvas, region)
    }

    /// A region of the upsampled picture, made from no more of the picture than it needs: one row more on either side.
    private func upsampled(_ coarser: Tensor, _ region: Region) -> Tensor {
        let factor = traits.scaleFactor
        let top = max(0, region.minY / factor - 1)
        let bottom = min(coarser.height, (region.maxY + factor - 1) / factor + 1)
        let rows = coarser.copy(region: Region(x: 0, y: top, width: coarser.width, height: bottom - top))
        let above = Region(x: region.x, y: region.y - top * factor, width: region.width, height: region.height)
        return rows.upsampledBilinear(by: factor).copy(region: above)
    }
}
