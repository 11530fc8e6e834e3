import ChoirTensor
import Testing

@Suite struct TensorRegionTests {
    static let borders: [BorderMode] = [
        .zero, .wrap(x: false, y: false), .wrap(x: true, y: false), .wrap(x: false, y: true), .wrap(x: true, y: true),
    ]

    /// The canvas position of an unbounded one; nil outside.
    private func place(_ position: Int, extent: Int, wraps: Bool) -> Int? {
        if wraps { return ((position % extent) + extent) % extent }
        return (0..<extent).contains(position) ? position : nil
    }

    private func wraps(_ border: BorderMode) -> (x: Bool, y: Bool) {
        switch border {
        case .zero: (false, false)
        case .wrap(let x, let y): (x, y)
        }
    }

    private func random(_ shape: Shape, using generator: inout SplitMix64) -> Tensor {
        Tensor(shape: shape, elements: (0..<shape.elementCount).map { _ in .random(in: -1...1, using: &generator) })
    }

    private func randomRegion(using generator: inout SplitMix64) -> Region {
        Region(
            x: .random(in: -20...20, using: &generator),
            y: .random(in: -20...20, using: &generator),
            width: .random(in: 0...16, using: &generator),
            height: .random(in: 0...16, using: &generator)
        )
    }

    @Test(arguments: borders)
    func `a copied region has the canvas cells, also beyond the borders`(border: BorderMode) {
        var generator = SplitMix64(state: 11)
        let canvas = random([2, 5, 7], using: &generator)
        for _ in 0..<60 {
            let region = randomRegion(using: &generator)
            var expected = Tensor(shape: [2, region.height, region.width])
            for channel in 0..<2 {
                for row in 0..<region.height {
                    for column in 0..<region.width {
                        let y = place(region.y + row, extent: 5, wraps: wraps(border).y)
                        let x = place(region.x + column, extent: 7, wraps: wraps(border).x)
                        if let x, let y { expected[channel, row, column] = canvas[channel, y, x] }
                    }
                }
            }
            #expect(canvas.copy(region: region, border: border) == expected)
        }
    }

    @Test(arguments: borders)
    func `a written part replaces the cells under it and no others`(border: BorderMode) {
        var generator = SplitMix64(state: 12)
        let tile = random([2, 9, 8], using: &generator)
        for _ in 0..<60 {
            var canvas = random([2, 5, 7], using: &generator)
            var expected = canvas
            let part = Region(
                x: .random(in: 0...3, using: &generator),
                y: .random(in: 0...4, using: &generator),
                width: .random(in: 0...5, using: &generator),
                height: .random(in: 0...5, using: &generator)
            )
            let target = randomRegion(using: &generator)
            for channel in 0..<2 {
                for row in 0..<part.height {
                    for column in 0..<part.width {
                        if let y = place(target.y + row, extent: 5, wraps: wraps(border).y),
                            let x = place(target.x + column, extent: 7, wraps: wraps(border).x)
                        {
                            expected[channel, y, x] = tile[channel, part.y + row, part.x + column]
                        }
                    }
                }
            }
            canvas.write(tile, part: part, x: target.x, y: target.y, border: border)
            #expect(canvas == expected)
        }
    }

    @Test(arguments: borders)
    func `accumulation adds the weighted tile cell by cell`(border: BorderMode) {
        var generator = SplitMix64(state: 13)
        for _ in 0..<60 {
            var canvas = random([1, 2, 5, 7], using: &generator)
            var expected = canvas
            let target = randomRegion(using: &generator)
            let tile = random([2, target.height, target.width], using: &generator)
            let rowWeights = (0..<target.height).map { _ in Float.random(in: 0...1, using: &generator) }
            let columnWeights = (0..<target.width).map { _ in Float.random(in: 0...1, using: &generator) }
            for channel in 0..<2 {
                for row in 0..<target.height {
                    for column in 0..<target.width {
                        if let y = place(target.y + row, extent: 5, wraps: wraps(border).y),
                            let x = place(target.x + column, extent: 7, wraps: wraps(border).x)
                        {
                            expected[0, channel, y, x] +=
                                tile[channel, row, column] * (rowWeights[row] * columnWeights[column])
                        }
                    }
                }
            }
            canvas.accumulate(
                tile,
                x: target.x,
                y: target.y,
                rowWeights: rowWeights,
                columnWeights: columnWeights,
                border: border
            )
            #expect(canvas == expected)
        }
    }

    @Test func `a batch of one keeps its rank`() {
        let canvas = Tensor(shape: [1, 3, 4, 4], repeating: 1)
        #expect(canvas.copy(region: Region(x: 1, y: 1, width: 2, height: 3)).shape == [1, 3, 3, 2])
    }
}

@Suite struct TensorResizeTests {
    @Test func `pooling takes the mean of each box`() {
        let tensor = Tensor(shape: [1, 2, 4], elements: [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(tensor.averagePooled(by: 2) == Tensor(shape: [1, 1, 2], elements: [3.5, 5.5]))
        #expect(tensor.averagePooled(by: 1) == tensor)
    }

    // torch.nn.functional.interpolate(scale_factor=2 or 3, mode="bilinear", align_corners=False) by hand:
    // weights 1/4, 3/4 for factor 2; 1/3, 2/3, 1 for factor 3.
    @Test func `bilinear enlargement uses half-pixel centres and repeats the edge`() {
        let row = Tensor(shape: [1, 1, 2], elements: [0, 12])
        #expect(row.upsampledBilinear(by: 2).elements == [0, 3, 9, 12, 0, 3, 9, 12])
        #expect(row.upsampledBilinear(by: 3).shape == [1, 3, 6])
        let thirds = row.upsampledBilinear(by: 3).elements.prefix(6)
        for (value, expected) in zip(thirds, [0, 0, 4, 8, 12, 12] as [Float]) {
            #expect(abs(value - expected) < 1e-5)
        }
        let column = Tensor(shape: [2, 1], elements: [0, 12])
        #expect(column.upsampledBilinear(by: 2).elements == [0, 0, 3, 3, 9, 9, 12, 12])
    }

    @Test func `a wrapping axis interpolates across the edge`() {
        let row = Tensor(shape: [1, 1, 2], elements: [0, 12])
        #expect(row.upsampledBilinear(by: 2, wrapX: true).elements == [3, 3, 9, 9, 3, 3, 9, 9])
        let column = Tensor(shape: [2, 1], elements: [0, 12])
        #expect(column.upsampledBilinear(by: 2, wrapY: true).elements == [3, 3, 3, 3, 9, 9, 9, 9])
    }

    @Test(arguments: 1...4)
    func `enlarging a wrapping picture commutes with shifting it`(factor: Int) {
        var generator = SplitMix64(state: 3)
        let picture = Tensor(
            shape: [2, 4, 5],
            elements: (0..<40).map { _ in .random(in: -1...1, using: &generator) }
        )
        let torus = BorderMode.wrap(x: true, y: true)
        let shifted = picture.copy(region: Region(x: 2, y: 3, width: 5, height: 4), border: torus)
        let large = picture.upsampledBilinear(by: factor, wrapX: true, wrapY: true)
        let region = Region(x: 2 * factor, y: 3 * factor, width: 5 * factor, height: 4 * factor)
        #expect(
            shifted.upsampledBilinear(by: factor, wrapX: true, wrapY: true)
                == large.copy(region: region, border: torus)
        )
    }

    @Test func `channels do not mix`() {
        var tensor = Tensor(shape: [2, 2, 2])
        for row in 0..<2 { for column in 0..<2 { tensor[1, row, column] = 1 } }
        let large = tensor.upsampledBilinear(by: 3)
        #expect(large.elements == [Float](repeating: 0, count: 36) + [Float](repeating: 1, count: 36))
        #expect(large.averagePooled(by: 3) == tensor)
    }
}
