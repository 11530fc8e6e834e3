import ChoirTensor
import Testing

@Suite struct TensorRotationTests {
    @Test func `a quarter turn brings the right edge to the bottom`() {
        let picture = Tensor(shape: [1, 2, 3], elements: [1, 2, 3, 4, 5, 6])
        #expect(picture.turned(by: 1) == Tensor(shape: [1, 3, 2], elements: [4, 1, 5, 2, 6, 3]))
        #expect(picture.turned(by: 2) == Tensor(shape: [1, 2, 3], elements: [6, 5, 4, 3, 2, 1]))
        #expect(picture.turned(by: 3) == Tensor(shape: [1, 3, 2], elements: [3, 6, 2, 5, 1, 4]))
        #expect(picture.turned(by: -1) == picture.turned(by: 3))
        #expect(picture.turned(by: 4) == picture)
    }
}
