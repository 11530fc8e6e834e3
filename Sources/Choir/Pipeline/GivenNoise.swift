import ChoirTensor

/// The noise that a request names in place of that of its seed.
enum GivenNoise {
    /// The name of the tensor.
    static let name = "noise"

    /// Reads the noise of a file.
    ///
    /// - Parameters:
    ///   - path: A `.safetensors` file with the tensor `noise`.
    ///   - shape: The canvas that it is for, `[channels, height, width]`.
    /// - Returns: A tensor of that shape.
    /// - Throws: `SafetensorsError` if the file is none or has no such tensor, `RequestError` if it does not fit.
    static func read(_ path: String, for shape: Shape) throws -> Tensor {
        let file = try SafetensorsFile(path: path)
        let found = try file.entry(name).shape
        let batch = Shape([1] + shape.dimensions)
        guard found == batch || found == shape else {
            throw RequestError("noise", found: "\(path) with a tensor of shape \(found)", expected: "\(batch)")
        }
        let noise = try file.floats(name).reshaped(to: shape)
        guard noise.withSpan({ span in span.indices.allSatisfy { span[$0].isFinite } }) else {
            throw RequestError("noise", found: "\(path) with a number that is not finite", expected: "finite numbers")
        }
        return noise
    }
}
