import ChoirTensor
import Foundation

/// What a model has learned of the forms of objects, apart from how it paints them: pictures of a few pixels, of which what
/// composes a canvas makes a sketch.
///
/// A decoder makes a picture of a code and a text; the codes are those of training pictures, and what lies between them
/// (Bojanowski et al. 2018, "Optimizing the Latent Space of Generative Networks"). The sketch leads the network, which paints
/// on from it, as in Pandey et al. 2022, "DiffuseVAE".
public struct LearnedForms: Sendable {
    /// Objects of one kind.
    public struct Kind: Hashable, Sendable {
        /// What it is called.
        public let name: String

        /// Sides of their forms' squares, in cells of a canvas; an object takes about four fifths of its square.
        public let sizes: ClosedRange<Double>

        /// The share of a canvas that they cover together, 0 ... 1.
        public let filled: Double

        /// The codes of its pictures.
        let codes: [[Float]]

        /// A kind.
        ///
        /// - Parameter codes: Those of its pictures, at least one.
        public init(name: String, sizes: ClosedRange<Double>, filled: Double, codes: [[Float]]) {
            precondition(!codes.isEmpty && sizes.lowerBound > 0, "a kind of nothing")
            self.name = name
            self.sizes = sizes
            self.filled = filled
            self.codes = codes
        }
    }

    /// The kinds.
    public let kinds: [Kind]

    /// The deviation of the noise, below that of pure noise, from which on the network paints alone.
    public let until: Double

    /// The side of a picture, in pixels.
    let side: Int

    private let channels: Int
    private let decoder: [DenseLayer]
    private let likelihoods: DenseLayer

    /// Forms.
    ///
    /// - Parameters:
    ///   - kinds: The kinds.
    ///   - until: The deviation of the noise from which on the network paints alone.
    ///   - side: The side of a picture, in pixels.
    ///   - channels: Of the canvas.
    ///   - decoder: Layers from a code and a text, one after the other, to the picture `[channels, side, side]`, 0 ... 1; after
    ///     the first two x · sigmoid(x).
    ///   - likelihoods: The layer from a text to a logit for each kind and, last, for none of them.
    public init(
        kinds: [Kind], until: Double, side: Int, channels: Int, decoder: [DenseLayer], likelihoods: DenseLayer
    ) {
        precondition(decoder.last?.outputs == channels * side * side && likelihoods.outputs == kinds.count + 1)
        self.kinds = kinds
        self.until = until
        self.side = side
        self.channels = channels
        self.decoder = decoder
        self.likelihoods = likelihoods
    }

    /// How likely an object is one of each kind, of those that a text asks for; nil if it more likely asks for none.
    ///
    /// - Parameter text: The model's form of a prompt, one vector.
    func shares(of text: Tensor) -> [Double]? {
        let logits = likelihoods(text.elements).map(Double.init)
        let largest = logits.max() ?? 0
        let weights = logits.map { exp($0 - largest) }
        let named = weights.dropLast().reduce(0, +)
        return named > weights[kinds.count] ? weights.dropLast().map { $0 / named } : nil
    }

    /// A picture `[channels, side, side]`, 0 ... 1.
    ///
    /// - Parameters:
    ///   - kind: The index of its kind.
    ///   - text: The model's form of what it shows.
    ///   - pair: Two numbers, 0 ..< 1, which choose two of the kind's codes.
    ///   - share: How much of the second the code has.
    func picture(ofKind kind: Int, text: Tensor, pair: (Double, Double), share: Float) -> Tensor {
        let codes = kinds[kind].codes
        let chosen = { (number: Double) in codes[min(Int(number * Double(codes.count)), codes.count - 1)] }
        var values = zip(chosen(pair.0), chosen(pair.1)).map { $0 + share * ($1 - $0) } + text.elements
        for (index, layer) in decoder.enumerated() {
            values = layer(values)
            if index < 2 { values = values.map { $0 / (1 + exp(-$0)) } }
        }
        return Tensor(shape: [channels, side, side], elements: values.map { min(max($0, 0), 1) })
    }
}
