import ChoirTensor
import Foundation

/// Views of the whole canvas at once: every s-th cell of it, once for each of the s x s places to begin at.
///
/// The dilated sampling of DemoFusion (Du et al., CVPR 2024, section 3.4), for models that do not see the coarser
/// picture. With x̄ the canvas blurred by a Gaussian, of the canvas's mean and deviation:
///
///     G(x)[h::s, w::s] = D(x̄[h::s, w::s])        for all h, w in 0 ..< s
///     D <- (1 - k) D + k G,                       k = (1 + cos(π (T - t) / T)) / 2
///
/// Blurring lets views that begin at neighbouring cells see nearly the same, so that what they predict fits together. Its
/// kernel has 2 s - 1 cells and the deviation 0.99 k + 0.01: little of it is left at the end, as of k.
///
/// Views have the shape of a tile, so that they run on its modules; where a view is shorter, it goes on backwards from its
/// end, or on a ring around it. DemoFusion puts what blurring took away into the prediction again, as noise; here a
/// prediction is of the clean picture, and a view's is the part of it that all cells agree on.
struct DilatedViews: Hashable, Sendable {
    /// s.
    let dilation: Int

    /// How tiles cut the canvas.
    let plan: TilePlan

    /// Where on the way from noise the stage begins, above 0, 1 at most.
    let start: Double

    /// Nil where one tile sees the whole canvas.
    init?(_ plan: TilePlan, start: Double) {
        let times = [plan.columns, plan.rows].map { ($0.length + $0.window - 1) / $0.window }
        guard let dilation = times.max(), dilation > 1 else { return nil }
        self.dilation = dilation
        self.plan = plan
        self.start = start
    }

    /// The number of views.
    var count: Int { dilation * dilation }

    /// k, for the share of the stage's steps that are done, 0 ..< 1.
    func share(done: Double) -> Double { (1 + cos(.pi * (1 - start * (1 - done)))) / 2 }

    /// The cells that a view has along both axes.
    func cells(_ index: Int) -> SeenCells {
        let (row, column) = index.quotientAndRemainder(dividingBy: dilation)
        return SeenCells(rows: cells(from: row, along: plan.rows), columns: cells(from: column, along: plan.columns))
    }

    private func cells(from first: Int, along axis: TileAxis) -> [Int] {
        let count = (axis.length - first + dilation - 1) / dilation
        return (0..<axis.window).map { place in
            if axis.wraps { return (first + place * dilation) % axis.length }
            // Back and forth between the first and the last cell.
            let period = max(1, 2 * (count - 1))
            let turned = place % period
            return first + min(turned, period - turned) * dilation
        }
    }

    /// What a view sees of a canvas, in the shape of a tile.
    func view(_ index: Int, of canvas: Tensor) -> Tensor {
        let seen = cells(index)
        let (rows, columns) = (seen.rows, seen.columns)
        let channels = canvas.shape[0]
        let (height, width) = (canvas.height, canvas.width)
        var view = Tensor(shape: [channels, rows.count, columns.count])
        canvas.withSpan { canvas in
            view.withMutableSpan { view in
                var next = 0
                for channel in 0..<channels {
                    for row in rows {
                        let start = (channel * height + row) * width
                        for column in columns {
                            view[unchecked: next] = canvas[unchecked: start + column]
                            next += 1
                        }
                    }
                }
            }
        }
        return view
    }

    /// Writes a view back to the cells that it began with, each once.
    func write(_ view: Tensor, _ index: Int, to canvas: inout Tensor) {
        let (first, second) = index.quotientAndRemainder(dividingBy: dilation)
        let (height, width, channels) = (canvas.height, canvas.width, canvas.shape[0])
        let (rows, columns) = (view.height, view.width)
        view.withSpan { view in
            canvas.withMutableSpan { canvas in
                for channel in 0..<channels {
                    for (place, row) in stride(from: first, to: height, by: dilation).enumerated() {
                        let from = (channel * rows + place) * columns
                        let to = (channel * height + row) * width
                        for (offset, column) in stride(from: second, to: width, by: dilation).enumerated() {
                            canvas[unchecked: to + column] = view[unchecked: from + offset]
                        }
                    }
                }
            }
        }
    }

    /// The canvas as views see it.
    ///
    /// - Parameter share: k.
    func blurred(_ canvas: Tensor, share: Double) -> Tensor {
        let deviation = 0.99 * share + 0.01
        let reach = dilation - 1
        let raw = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
        let sum = raw.reduce(0, +)
        let kernel = raw.map { Float($0 / sum) }
        // Edge cells repeat, unless the canvas goes on.
        let wide = Self.convolved(
            canvas, kernel, lines: canvas.shape[0] * canvas.height, length: canvas.width, stride: 1,
            wraps: plan.columns.wraps)
        let blurred = Self.convolved(
            wide, kernel, lines: canvas.shape[0] * canvas.width, length: canvas.height, stride: canvas.width,
            wraps: plan.rows.wraps)
        let (own, new) = (Self.statistics(canvas), Self.statistics(blurred))
        guard new.deviation > 0 else { return blurred }
        let scale = own.deviation / new.deviation
        return Tensor(
            shape: blurred.shape, elements: blurred.elements.map { Float((Double($0) - new.mean) * scale + own.mean) })
    }

    /// Every line of cells that lie `stride` apart, convolved.
    private static func convolved(
        _ field: Tensor, _ kernel: [Float], lines: Int, length: Int, stride: Int, wraps: Bool
    ) -> Tensor {
        let reach = kernel.count / 2
        let taps = (0..<length).map { cell in
            (-reach...reach).map { offset in
                wraps ? ((cell + offset) % length + length) % length : min(max(cell + offset, 0), length - 1)
            }
        }
        var result = Tensor(shape: field.shape)
        field.withSpan { field in
            result.withMutableSpan { result in
                for line in 0..<lines {
                    // Lines along x follow each other; lines along y begin side by side, channel after channel.
                    let first = stride == 1 ? line * length : line / stride * stride * length + line % stride
                    for cell in 0..<length {
                        var sum: Float = 0
                        for (weight, tap) in zip(kernel, taps[cell]) {
                            sum += weight * field[unchecked: first + tap * stride]
                        }
                        result[unchecked: first + cell * stride] = sum
                    }
                }
            }
        }
        return result
    }

    private static func statistics(_ field: Tensor) -> (mean: Double, deviation: Double) {
        let count = Double(max(1, field.elements.count))
        let mean = field.elements.reduce(0.0) { $0 + Double($1) } / count
        let variance = field.elements.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        return (mean, variance.squareRoot())
    }
}
