/// A safetensors file that cannot be read or written.
public struct SafetensorsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: Hashable, Sendable {
        /// The system refused to open or map the file.
        case file
        /// The system refused to write the file.
        case writing
        /// The header length or the JSON text of the header is malformed.
        case header
        /// A tensor's element type is not known.
        case dataType
        /// A tensor's shape is impossible.
        case shape
        /// A tensor's bytes are not where they must be.
        case offsets
        /// The file has no tensor of this name.
        case missingTensor
        /// The elements of a tensor cannot be read as the requested kind of number.
        case conversion
    }

    /// What kind of failure it is.
    public let code: Code

    /// The path as given by the caller.
    public let path: String

    /// The tensor concerned, if any.
    public let tensor: String?

    /// What was found and what was expected.
    public let message: String

    init(_ code: Code, path: String, tensor: String? = nil, _ message: String) {
        self.code = code
        self.path = path
        self.tensor = tensor
        self.message = message
    }

    /// One sentence: `unet.safetensors: tensor "conv.weight": unknown data type "F8_E4M3", expected …`.
    public var description: String {
        if let tensor {
            "\(path): tensor \"\(tensor)\": \(message)"
        } else {
            "\(path): \(message)"
        }
    }
}
