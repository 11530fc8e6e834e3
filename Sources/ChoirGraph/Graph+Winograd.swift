import ChoirTensor

extension Graph {
    /// The same graph with its large 3 x 3 convolutions by Winograd's algorithm, which needs half the multiplications;
    /// the same graph where none is large enough.
    ///
    /// For engines that compute in f32: sums of four and five times a value would cost bf16 its last bits. Results
    /// differ by rounding, about 1e-5 of the largest value.
    ///
    /// - Parameter largestBand: The most numbers that are computed at a time; large pictures are in bands of rows.
    package func withWinogradConvolutions(largestBand: Int = GraphBuilder.largestBand) throws(GraphError) -> Graph {
        var replacements: [Int: Replacement] = [:]
        for (index, (weight, padding)) in winogradConvolutions {
            replacements[index] = Replacement(inputs: [layers[index].inputs[0]]) { builder, inputs throws(GraphError) in
                try builder.winogradConvolution(inputs[0], weight: weight, padding: padding, largestBand: largestBand)
            }
        }
        return try replacing(replacements)
    }

    /// How many bytes more the weights take as ``withWinogradConvolutions()`` has them, in f32.
    package var winogradByteCount: Int {
        winogradConvolutions.values.reduce(0) { $0 + 4 * $1.weight.shape.elementCount }
    }

    /// The convolutions for which it pays, by their layers.
    private var winogradConvolutions: [Int: (weight: StoredWeight, padding: Padding)] {
        var found: [Int: (weight: StoredWeight, padding: Padding)] = [:]
        for (index, layer) in layers.enumerated() where layer.type == "Convolution" {
            // A result keeps the layer that its name is on; those of enlarged pictures have a faster form.
            guard layer.outputs[0].names.isEmpty, enlargedConvolution(layer) == nil,
                let weight = storedWeight(layer.inputs[1]),
                layer.integers("strides") == [1, 1], layer.integers("dilations") == [1, 1],
                let begin = layer.integers("pads_begin"), let end = layer.integers("pads_end"),
                // So every row of the result reads one of the picture.
                (begin + end).allSatisfy({ $0 <= 2 }),
                Self.isFasterByWinograd(weight: weight.shape, output: layer.outputs[0].shape)
            else { continue }
            found[index] = (weight, Padding(top: begin[0], left: begin[1], bottom: end[0], right: end[1]))
        }
        return found
    }

    /// Whether half the multiplications save more than the sums around them cost.
    ///
    /// Multiplications grow with the product of the channels, sums with their sum. Measured in f32 with AVX2, time by
    /// that of the convolution itself: 128 to 128 channels 0.83, 256 to 128 0.91, 256 to 256 0.71, 320 to 320 0.59,
    /// 640 to 640 0.54. Both ends are bounded by memory. Where there are few cells there are many channels: those of 8 x 8
    /// cells take a twenty-fifth of SD 1.5's time, and their weights would take another gigabyte.
    private static func isFasterByWinograd(weight: Shape, output: Shape) -> Bool {
        let (outputs, inputs) = (weight[0], weight[1])
        return weight[2] == 3 && weight[3] == 3 && hasEnoughChannelsForWinograd(inputs: inputs, outputs: outputs)
            && output[2] * output[3] >= 256
    }

    /// Whether a convolution of many cells would be replaced, as far as its channels say.
    package static func hasEnoughChannelsForWinograd(inputs: Int, outputs: Int) -> Bool {
        outputs * inputs >= 128 * (outputs + inputs)
    }
}
