import ChoirSampling
import ChoirTensor

/// Noise at a stage's first level, over the enlarged picture of the stage before if the stage starts below pure noise.
///
///     x = alpha · enlarged + sigma · n
struct StartingCanvas: Sendable {
    /// The picture of the stage before.
    struct Coarser: Sendable {
        /// Its canvas, which may reach beyond it on the right and below; averaged as this stage's tiles see it.
        let canvas: Tensor

        /// Its stage.
        let stage: Stage
    }

    let stage: Stage
    let noise: CanvasNoise
    let traits: ModelTraits
    let coarser: Coarser?

    /// The canvas, made in bands at the same time.
    ///
    /// - Parameter level: Another level than the stage's first.
    func make(at level: NoiseLevel? = nil) async throws -> Tensor {
        let level = level ?? stage.schedule.levels[0]
        return try await Tensor.madeInBands(shape: stage.canvasShape(channels: traits.channels)) { band($0, level) }
    }

    private func band(_ rows: Range<Int>, _ level: NoiseLevel) -> Tensor {
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
                stepY: Double(coarser.stage.contentHeight) / Double(stage.contentHeight),
                wrapX: stage.tiles.columns.wraps, wrapY: stage.tiles.rows.wraps)
        }
        return upsampled(coarser.canvas, region)
    }

    /// A region of the upsampled picture, made from no more of the picture than it needs: one row more on either side.
    private func upsampled(_ coarser: Tensor, _ region: Region) -> Tensor {
        let (plan, factor) = (stage.tiles, traits.scaleFactor)
        var (top, bottom) = (region.minY / factor - 1, (region.maxY + factor - 1) / factor + 1)
        if !plan.rows.wraps { (top, bottom) = (max(0, top), min(coarser.height, bottom)) }
        let rows = coarser.copy(
            region: Region(x: 0, y: top, width: coarser.width, height: bottom - top), border: plan.border)
        let above = Region(x: region.x, y: region.y - top * factor, width: region.width, height: region.height)
        return rows.upsampledBilinear(by: factor, wrapX: plan.columns.wraps).copy(region: above)
    }
}
