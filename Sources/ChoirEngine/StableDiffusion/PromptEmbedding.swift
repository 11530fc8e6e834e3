import ChoirModels
import ChoirTensor

// The pipeline carries what a UNet is told of a prompt as one tensor.
extension PromptEmbedding {
    /// All numbers in a row: those of the tokens, then the pooled ones.
    var packed: Tensor {
        let elements = hidden.elements + (pooled?.elements ?? [])
        return Tensor(shape: [elements.count], elements: elements)
    }

    /// The parts of a packed embedding.
    ///
    /// - Parameters:
    ///   - packed: What `packed` gave.
    ///   - width: Numbers in a token.
    ///   - pooled: Numbers of the pooled embedding; 0 for models without.
    init(_ packed: Tensor, width: Int, pooled: Int) {
        let count = packed.shape.elementCount - pooled
        precondition(count > 0 && count % width == 0, "no embedding of tokens of \(width): \(packed.shape)")
        let elements = packed.elements
        self.init(
            hidden: Tensor(shape: [1, count / width, width], elements: Array(elements[..<count])),
            pooled: pooled == 0 ? nil : Tensor(shape: [1, pooled], elements: Array(elements[count...])))
    }
}
