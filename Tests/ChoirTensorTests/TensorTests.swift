import ChoirTensor
import Testing

@Suite struct ShapeTests {
    @Test func `a shape knows its rank, extents and element count`() {
        let shape: Shape = [1, 4, 64, 32]
        #expect(shape.rank == 4)
        #expect(shape[1] == 4)
        #expect(shape.elementCount == 8192)
        #expect(shape.description == "[1, 4, 64, 32]")
        #expect(Shape([]).elementCount == 1)
        #expect(Shape([3, 0]).elementCount == 0)
    }

    @Test(arguments: [[-1], [2, -3], [0, -1], [Int.max, 2], [1 << 32, 1 << 32], [Int.min, -1]])
    func `negative and overflowing extents are refused`(dimensions: [Int]) {
        #expect(Shape(checking: dimensions) == nil)
    }

    @Test func `the largest element count is accepted`() {
        #expect(Shape(checking: [Int.max, 1])?.elementCount == Int.max)
    }
}

@Suite struct TensorTests {
    @Test func `elements are row-major`() {
        var tensor = Tensor(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
        #expect(tensor[1, 0] == 3)
        tensor[0, 2] = 9
        #expect(tensor.elements == [0, 1, 9, 3, 4, 5])
        #expect(tensor.reshaped(to: [3, 2])[1, 0] == 9)
    }

    @Test func `spans read and write the elements`() {
        var tensor = Tensor(shape: [4], repeating: 2)
        tensor.withMutableSpan { span in
            for index in span.indices { span[index] *= Float(index) }
        }
        let sum = tensor.withSpan { span in
            var sum: Float = 0
            for index in span.indices { sum += span[index] }
            return sum
        }
        #expect(tensor.elements == [0, 2, 4, 6])
        #expect(sum == 12)
    }

    @Test func `writing to a copy leaves the original alone`() {
        let original = Tensor(shape: [2], elements: [1, 2])
        var copy = original
        copy.add(original, scaledBy: 3)
        #expect(original.elements == [1, 2])
        #expect(copy.elements == [4, 8])
    }

    @Test func `an error from inside a span reaches the caller with its type`() {
        struct Stop: Error {}
        var tensor = Tensor(shape: [1])
        #expect(throws: Stop.self) {
            try tensor.withMutableSpan { (span) throws(Stop) in
                span[0] = 1
                throw Stop()
            }
        }
        #expect(tensor.elements == [1])
    }

    @Test func `lerp is exact at both ends and linear between`() {
        let start = Tensor(shape: [3], elements: [0.1, -7, 1e9])
        let end = Tensor(shape: [3], elements: [0.3, 5, -3])
        #expect(start.lerp(to: end, fraction: 0) == start)
        #expect(start.lerp(to: end, fraction: 1) == end)
        #expect(start.lerp(to: end, fraction: 0.25)[1] == -4)
    }

    @Test func `sums match a plain loop bit for bit at any length`() {
        var generator = SplitMix64(state: 1)
        for count in [0, 1, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 1000] {
            let tensors = (0..<3).map { _ in
                Tensor(shape: [count], elements: (0..<count).map { _ in Float.random(in: -2...2, using: &generator) })
            }
            let weights: [Float] = [0.3, -1.7, 0.1]
            let expected = (0..<count).map { index in
                weights[0] * tensors[0].elements[index] + weights[1] * tensors[1].elements[index]
                    + weights[2] * tensors[2].elements[index]
            }
            #expect(Tensor.weightedSum(tensors, weights: weights).elements == expected)
            #expect(tensors[0].scaled(by: 0.7).elements == tensors[0].elements.map { 0.7 * $0 })
        }
    }
}

@Suite struct BicubicTests {
    /// `torch.nn.functional.interpolate(x, size, mode="bicubic", align_corners=False)` of PyTorch 2.13.
    static let picture: [Float] = [
        6, -5, -9, -9, 2, -2, -4, 0, 0, -5, 4, -8, -6, -2, 7, 6, -8, 2, 9, -3, 1, 9, 0, 1,
    ]
    static let resized: [Float] = [
        7.42834, 2.62255, -4.36581, -8.33855, -9.56671, -9.80298, -9.67448, 4.29737, 1.71772, -2.20306, -5.72191,
        -6.61519, -4.07668, -1.936, 1.19616, -0.51816, -2.64685, -1.87202, -0.54289, -1.30787, -2.02562, 0.35965,
        -2.47377, -5.37734, 0.43663, 4.27411, -3.49194, -9.87876, -6.21058, -5.20253, -2.91369, 2.63902, 7.26676,
        7.28001, 6.62512, -9.06752, -6.1054, -1.1093, 6.17149, 9.16438, 3.61153, -1.13531, -5.96263, -1.65249, 4.34641,
        7.20009, 5.53573, 0.41951, -3.39308, 0.86651, 4.94714, 9.5217, 4.98353, -1.00417, 0.00431, 1.47891,
    ]

    @Test func `a picture is resized as PyTorch does it, and so is every region of it`() {
        let picture = Tensor(shape: [2, 3, 4], elements: Self.picture)
        let expected = Tensor(shape: [2, 4, 7], elements: Self.resized)
        for region in [Region(x: 0, y: 0, width: 7, height: 4), Region(x: 2, y: 1, width: 3, height: 2)] {
            let resized = picture.resizedBicubic(region: region, stepX: 4.0 / 7, stepY: 3.0 / 4)
            let wanted = expected.copy(region: region)
            #expect(resized.shape == wanted.shape)
            #expect(zip(resized.elements, wanted.elements).allSatisfy { abs($0 - $1) < 2e-5 })
        }
    }

    @Test func `a flat picture stays flat, whatever the size`() {
        let flat = Tensor(shape: [1, 5, 3], repeating: 0.7)
        let resized = flat.resizedBicubic(region: Region(x: 0, y: 0, width: 11, height: 2), stepX: 0.3, stepY: 2.5)
        #expect(resized.elements.allSatisfy { abs($0 - 0.7) < 1e-6 })
    }
}
