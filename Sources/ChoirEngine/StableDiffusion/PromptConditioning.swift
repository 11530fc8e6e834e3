import ChoirTensor

/// What a UNet is told of a prompt, as it reads it.
struct PromptConditioning: Sendable {
    /// Keys and values of all layers that attend to the text, `[1, T, textContextWidth]`.
    let context: Tensor

    /// The pooled embedding, `[1, P]`; nil for models without.
    let pooled: Tensor?
}

// The pipeline carries it as one tensor.
extension PromptConditioning {
    /// All numbers in a row: those of the tokens, then the pooled ones.
    var packed: Tensor {
        let elements = context.elements + (pooled?.elements ?? [])
        return Tensor(shape: [elements.count], elements: elements)
    }

    /// The parts of what `packed` gave.
    ///
    /// - Parameters:
    ///   - packed: What `packed` gave.
    ///   - width: Numbers in a token.
    ///   - pooled: Numbers of the pooled embedding; 0 for models without.
    init(_ packed: Tensor, width: Int, pooled: Int) {
        let count = packed.shape.elementCount - pooled
        precondition(count > 0 && count % width == 0, "no conditioning by tokens of \(width): \(packed.shape)")
        let elements = packed.elements
        self.init(
            context: Tensor(shape: [1, count / width, width], elements: Array(elements[..<count])),
            pooled: pooled == 0 ? nil : Tensor(shape: [1, pooled], elements: Array(elements[count...])))
    }
}
