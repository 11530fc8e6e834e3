import ChoirTensor

/// What a UNet is told of a prompt, as one tensor, which is how the pipeline carries it.
struct PromptEmbedding {
    /// The encoded tokens, `[1, tokens, width]`.
    var tokens: Tensor

    /// The pooled text embedding of SDXL; empty for models without.
    var pooled: [Float]

    /// All numbers in a row: those of the tokens, then the pooled ones.
    var packed: Tensor {
        Tensor(shape: [tokens.shape.elementCount + pooled.count], elements: tokens.elements + pooled)
    }
}

extension PromptEmbedding {
    /// The parts of a packed embedding.
    ///
    /// - Parameters:
    ///   - packed: What `packed` gave.
    ///   - width: Numbers in a token.
    ///   - pooled: Numbers of the pooled embedding.
    init(_ packed: Tensor, width: Int, pooled: Int) {
        let count = packed.shape.elementCount - pooled
        precondition(count > 0 && count % width == 0, "no embedding of tokens of \(width): \(packed.shape)")
        tokens = Tensor(shape: [1, count / width, width], elements: Array(packed.elements[..<count]))
        self.pooled = Array(packed.elements[count...])
    }
}
