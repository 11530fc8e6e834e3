public import ChoirTensor

extension Painting {
    /// Writes the canvas as other tools read it: the tensor `latents`, `[1, channels, height, width]`, in F32.
    ///
    /// - Parameter path: A `.safetensors` file, replaced atomically.
    /// - Throws: `SafetensorsError` if it cannot be written.
    public func writeLatents(to path: String) throws(SafetensorsError) {
        let latents = canvas.reshaped(to: Shape([1] + canvas.shape.dimensions))
        try SafetensorsWriter.write(tensors: ["latents": .float32(latents)], to: path)
    }
}
