import ChoirTensor

/// How objects in their places become a canvas.
extension Tensor {
    /// Objects on a black sky, in -1 ... 1.
    init(
        sketching objects: [FormPlacement.Object], on plane: FormPlane, forms: LearnedForms, shape: Shape,
        text: (Int) -> Tensor
    ) {
        var light = Tensor(shape: shape)
        for object in objects {
            let candidate = object.candidate
            let picture = forms.picture(
                ofKind: object.kind, text: text(object.content), pair: candidate.pair, share: candidate.share)
            light.addLight(of: picture, object, on: plane)
        }
        self.init(shape: shape, elements: light.elements.map { 2 * $0 - 1 })
    }

    /// Adds the light of an object, seen through what is there: a + b - a·b.
    private mutating func addLight(of picture: Tensor, _ object: FormPlacement.Object, on plane: FormPlane) {
        let (candidate, half) = (object.candidate, object.size / 2)
        let (channels, height, width) = (shape[0], height, width)
        // Of a picture that is shown smaller than it is, several places make a cell.
        let samples = max(1, Int((Double(picture.width) / object.size).rounded(.up)))
        let rows = Int((candidate.y - half).rounded(.down))...Int((candidate.y + half).rounded(.up))
        let columns = Int((candidate.x - half).rounded(.down))...Int((candidate.x + half).rounded(.up))
        withMutableSpan { elements in
            for y in rows {
                let row = (plane.wrapsY ? plane.row(y) : y) + plane.origin.y
                guard (0..<height).contains(row) else { continue }
                for x in columns {
                    let column = (plane.wrapsX ? plane.column(x) : x) + plane.origin.x
                    guard (0..<width).contains(column) else { continue }
                    for channel in 0..<channels {
                        var sum: Float = 0
                        for sample in 0..<samples * samples {
                            let offset = { (index: Int) in (Double(index) + 0.5) / Double(samples) }
                            sum += picture.value(
                                channel, object, dx: Double(x) + offset(sample % samples) - candidate.x,
                                dy: Double(y) + offset(sample / samples) - candidate.y)
                        }
                        let light = min(1, candidate.brightness * sum / Float(samples * samples))
                        let place = (channel * height + row) * width + column
                        elements[place] += light * (1 - elements[place])
                    }
                }
            }
        }
    }

    /// The value of an object's picture at a distance from its middle, in cells of the canvas; 0 outside. Between four
    /// pixels, linear.
    private func value(_ channel: Int, _ object: FormPlacement.Object, dx: Double, dy: Double) -> Float {
        let (candidate, scale) = (object.candidate, Double(width) / object.size)
        let along = (dx * candidate.direction.x + dy * candidate.direction.y) * scale
        let across = (dy * candidate.direction.x - dx * candidate.direction.y) * scale / candidate.narrowing
        let (u, v) = (
            along + Double(width - 1) / 2, (candidate.isMirrored ? -across : across) + Double(height - 1) / 2
        )
        guard u > 0, v > 0, u < Double(width - 1), v < Double(height - 1) else { return 0 }
        let (column, row) = (Int(u), Int(v))
        let (right, down) = (Float(u - Double(column)), Float(v - Double(row)))
        let place = (channel * height + row) * width + column
        return withSpan { elements in
            let upper = elements[place] + right * (elements[place + 1] - elements[place])
            let lower = elements[place + width] + right * (elements[place + width + 1] - elements[place + width])
            return upper + down * (lower - upper)
        }
    }
}
