import ChoirTensor

extension Graph {
    /// A weight as it lies in the store.
    struct StoredWeight {
        let offset: Int
        let elementType: ElementType
        let shape: Shape
    }

    /// The same graph with its large 3 x 3 convolutions by Winograd's algorithm, which needs half the multiplications;
    /// the same graph where none is large enough.
    ///
    /// For engines that compute in f32: sums of four and five times a value would cost bf16 its last bits. Results
    /// differ by rounding, about 1e-5 of the largest value.
    package func withWinogradConvolutions() throws(GraphError) -> Graph {
        let replaced = winogradConvolutions
        guard !replaced.isEmpty else { return self }
        let needed = neededLayers { layer in
            replaced[layer] == nil ? layers[layer].inputs : [layers[layer].inputs[0]]
        }
        let builder = GraphBuilder(name: name, weights: weights)
        var copies: [[Value]] = []
        for (index, layer) in layers.enumerated() {
            guard needed[index] else {
                copies.append([])
                continue
            }
            let inputs = layer.inputs.map { copies[$0.layer].isEmpty ? nil : copies[$0.layer][$0.port] }
            if let (weight, padding) = replaced[index], let x = inputs[0] {
                copies.append([
                    try builder.scope(layer.name) { () throws(GraphError) in
                        try builder.winogradConvolution(x, weight: weight, padding: padding)
                    }
                ])
            } else {
                copies.append(builder.copy(layer, inputs: inputs.compactMap { $0 }))
            }
        }
        return Graph(name: name, inputs: inputs, outputs: outputs, weights: weights, layers: builder.layers)
    }

    /// How many bytes more the weights take as ``withWinogradConvolutions()`` has them, in f32.
    package var winogradByteCount: Int {
        winogradConvolutions.values.reduce(0) { $0 + 4 * $1.weight.shape.elementCount }
    }

    /// The convolutions for which it pays, by their layers.
    private var winogradConvolutions: [Int: (weight: StoredWeight, padding: Padding)] {
        var found: [Int: (weight: StoredWeight, padding: Padding)] = [:]
        for (index, layer) in layers.enumerated() where layer.type == "Convolution" {
            // A result keeps the layer that its name is on.
            guard layer.outputs[0].names.isEmpty, let weight = storedWeight(layer.inputs[1]),
                layer.integers("strides") == [1, 1], layer.integers("dilations") == [1, 1],
                let begin = layer.integers("pads_begin"), let end = layer.integers("pads_end"),
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
    /// 640 to 640 0.54. Both ends are bounded by memory. Where there are few cells there are many channels: below 32 x 32
    /// SD 1.5 would save another thirtieth of its time for 1 GB of weights. And what is added up takes about three times
    /// an input and an output, which the last levels of a decoder's tile have no room for.
    private static func isFasterByWinograd(weight: Shape, output: Shape) -> Bool {
        let (outputs, inputs, cells) = (weight[0], weight[1], output[2] * output[3])
        return weight[2] == 3 && weight[3] == 3 && hasEnoughChannelsForWinograd(inputs: inputs, outputs: outputs)
            && cells >= 1024 && output[0] * cells * max(outputs, inputs) <= 1 << 24
    }

    /// Whether a convolution of many cells would be replaced, as far as its channels say.
    package static func hasEnoughChannelsForWinograd(inputs: Int, outputs: Int) -> Bool {
        outputs * inputs >= 128 * (outputs + inputs)
    }

    /// Where a constant lies that may be widened.
    private func storedWeight(_ value: Value) -> StoredWeight? {
        var layer = layers[value.layer]
        if layer.isDecompression { layer = layers[layer.inputs[0].layer] }
        guard layer.type == "Const", let offset = layer.integers("offset")?.first else { return nil }
        return StoredWeight(offset: offset, elementType: layer.outputs[0].elementType, shape: value.shape)
    }

    /// Which layers results and parameters need, when a layer needs the given inputs.
    private func neededLayers(_ inputs: (Int) -> [Value]) -> [Bool] {
        var needed = layers.map { $0.type == "Result" || $0.type == "Parameter" }
        for index in layers.indices.reversed() where needed[index] {
            for input in inputs(index) { needed[input.layer] = true }
        }
        return needed
    }
}

extension Graph.Layer {
    fileprivate func integers(_ name: String) -> [Int]? {
        attributes.first { $0.name == name }?.value.split(separator: ",").compactMap { Int($0) }
    }
}

extension GraphBuilder {
    /// A layer of another graph with other inputs.
    fileprivate func copy(_ layer: Graph.Layer, inputs: [Value]) -> [Value] {
        emit(
            LayerContext(name: layer.name, qualifiedName: "\(name).\(layer.name)"), layer.type, opset: layer.opset,
            attributes: layer.attributes.map { ($0.name, $0.value) }, inputs: inputs, outputs: layer.outputs,
            isDecompression: layer.isDecompression)
    }
}
