import ChoirSampling
import ChoirTensor

/// What leads the composing of a canvas: objects on a black sky, where the prompt names some that have a learned form.
struct CanvasSketch {
    /// In -1 ... 1, in the shape of the stage's state: a canvas, or a sheet of tiles.
    private let canvas: Tensor

    /// How much of what the network predicts it replaces in each cell, 0 ... 1; one number for all.
    private let shares: [Float]

    /// The deviation of the noise from which on the network paints alone.
    private let until: Double

    /// The sketch of a stage's canvas; nil if the prompts name nothing that has a form.
    ///
    /// - Parameters:
    ///   - request: What is painted.
    ///   - embedding: Of a content of the stage's layout.
    init?(_ stage: Stage, of request: PaintRequest, forms: LearnedForms, channels: Int, embedding: (Int) -> Tensor) {
        let (columns, rows) = (stage.tiles.columns, stage.tiles.rows)
        let plane = FormPlane(
            width: min(stage.contentWidth, columns.length), height: min(stage.contentHeight, rows.length),
            stride: columns.length, wrapsX: columns.wraps, wrapsY: rows.wraps)
        let whole = Region(x: 0, y: 0, width: columns.length, height: rows.length)
        let weights = stage.regions.cellWeights(in: SeenCells(whole))
        let likely = weights.contents.map { forms.shares(of: embedding($0)) }
        guard likely.contains(where: { $0 != nil }) else { return nil }
        let placement = FormPlacement(request, on: plane, weights: weights.weights, shares: likely, kinds: forms.kinds)
        let made = Tensor(
            sketching: placement.objects, on: plane, forms: forms, shape: stage.canvasShape(channels: channels)
        ) { embedding(weights.contents[$0]) }
        let led = (0..<columns.length * rows.length).map { cell in
            zip(likely, weights.weights).reduce(Float(0)) { $0 + ($1.0 == nil ? 0 : $1.1[cell]) }
        }
        canvas = stage.sheet?.cut(made) ?? made
        shares = stage.sheet?.cut(Tensor(shape: [1, rows.length, columns.length], elements: led)).elements ?? led
        until = forms.until
    }

    /// The sketch of a picture of a set; nil if its prompt names nothing that has a form.
    ///
    /// - Parameters:
    ///   - frame: Where the picture lies in its tile, of which all around the objects is black.
    ///   - strip: Cells at sides that are joined which other pictures may have as well: objects keep clear of them.
    ///   - embedding: Of its prompt.
    init?(_ frame: TileFrame, strip: Int, of image: TileImage, forms: LearnedForms, channels: Int, embedding: Tensor) {
        let (x, y) = (frame.picture.x > 0 ? strip : 0, frame.picture.y > 0 ? strip : 0)
        let (width, height) = (frame.picture.width - 2 * x, frame.picture.height - 2 * y)
        guard let likely = forms.shares(of: embedding), width > 0, height > 0 else { return nil }
        var plane = FormPlane(width: width, height: height, stride: width, wrapsX: false, wrapsY: false)
        plane.origin = (frame.picture.x + x, frame.picture.y + y)
        var request = PaintRequest(prompt: image.prompt, size: PixelSize(width: width, height: height))
        request.seed = image.seed
        let placement = FormPlacement(
            request, on: plane, weights: [[Float](repeating: 1, count: width * height)], shares: [likely],
            kinds: forms.kinds)
        canvas = Tensor(
            sketching: placement.objects, on: plane, forms: forms, shape: [channels, frame.height, frame.width]
        ) { _ in embedding }
        shares = [1]
        until = forms.until
    }

    /// What is predicted of the whole state, as the sketch has it while there is much noise.
    func lead(_ denoised: inout Tensor, at level: NoiseLevel) {
        guard level.sigma > until else { return }
        canvas.withSpan { canvas in
            denoised.withMutableSpan { denoised in
                for index in denoised.indices {
                    let share = shares[index % shares.count]
                    denoised[unchecked: index] += share * (canvas[unchecked: index] - denoised[unchecked: index])
                }
            }
        }
    }
}
