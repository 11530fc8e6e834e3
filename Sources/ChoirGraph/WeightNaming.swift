/// Where a weight that a model asks for lies in a file that names or arranges it otherwise.
public struct WeightSource: Hashable, Sendable {
    /// The tensor's name in the file.
    public var name: String

    /// Which of several equal parts of the tensor's first axis the weight is; nil for the whole tensor.
    ///
    /// Some files keep query, key and value of an attention layer in one tensor of three times the rows.
    public var part: Part?

    /// Whether the file has rows for columns; for matrices only.
    public var isTransposed: Bool

    /// One of several equal parts.
    public struct Part: Hashable, Sendable {
        /// Which one, from 0.
        public var index: Int
        /// Of how many; positive.
        public var count: Int

        /// Names a part.
        public init(index: Int, of count: Int) {
            self.index = index
            self.count = count
        }
    }

    /// Names a tensor of a file, or a part of it.
    public init(_ name: String, part: Part? = nil, isTransposed: Bool = false) {
        self.name = name
        self.part = part
        self.isTransposed = isTransposed
    }
}

/// Turns the names that a model asks for into those of a file.
///
/// A model is written once, with the names of one library (Choir takes those of diffusers and transformers); a naming
/// lets the same function read other layouts. A file may also lay a 1 x 1 convolution down as a matrix or the other way
/// round: under a naming other than ``asWritten``, shapes that differ only in ones at their end are the same.
public struct WeightNaming: Sendable {
    /// Gives the places to look at for a name, best first; the first that some file has is taken.
    public let sources: @Sendable (_ name: String) -> [WeightSource]

    /// Whether trailing ones of a shape may differ.
    let ignoresTrailingOnes: Bool

    /// Makes a naming from a pure function.
    public init(_ sources: @escaping @Sendable (_ name: String) -> [WeightSource]) {
        self.sources = sources
        ignoresTrailingOnes = true
    }

    private init() {
        sources = { [WeightSource($0)] }
        ignoresTrailingOnes = false
    }

    /// The file has the names and shapes that the model asks for.
    public static let asWritten = WeightNaming()
}
