import ChoirTensor
import Glibc

// What passes that rewrite a finished graph have in common.
extension Graph {
    /// A weight as it lies in the store.
    struct StoredWeight: Sendable {
        let offset: Int
        let elementType: ElementType
        let shape: Shape

        /// Copies its numbers as f32.
        ///
        /// - Parameters:
        ///   - base: The store's first byte.
        ///   - numbers: Where as many numbers as it has go.
        func copyNumbers(from base: UnsafeRawPointer, to numbers: UnsafeMutablePointer<Float>) {
            let first = base + offset
            func bits(_ index: Int) -> UInt16 { first.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self) }
            let count = shape.elementCount
            switch elementType {
            case .f16: for index in 0..<count { numbers[index] = Float(Float16(bitPattern: bits(index))) }
            case .bf16: for index in 0..<count { numbers[index] = Float(bitPattern: UInt32(bits(index)) << 16) }
            default: memcpy(numbers, first, 4 * count)
            }
        }
    }

    /// What stands in the place of a layer with one output.
    struct Replacement {
        /// What it is computed from; layers that nothing else needs are left out.
        let inputs: [Value]
        /// Gets the inputs as values of the new graph.
        let build: (GraphBuilder, [Value]) throws(GraphError) -> Value
    }

    /// The same graph with others in the place of some layers, none of which may be a result's.
    func replacing(_ replacements: [Int: Replacement]) throws(GraphError) -> Graph {
        guard !replacements.isEmpty else { return self }
        let inputsOfLayers = layers.indices.map { replacements[$0]?.inputs ?? layers[$0].inputs }
        let needed = neededLayers(inputsOfLayers)
        let builder = GraphBuilder(name: name, weights: weights)
        var copies: [[Value]] = []
        for (index, layer) in layers.enumerated() {
            guard needed[index] else {
                copies.append([])
                continue
            }
            let inputs = inputsOfLayers[index].map { copies[$0.layer][$0.port] }
            if let replacement = replacements[index] {
                copies.append([
                    try builder.scope(layer.name) { () throws(GraphError) in try replacement.build(builder, inputs) }
                ])
            } else {
                copies.append(builder.copy(layer, inputs: inputs))
            }
        }
        return Graph(name: name, inputs: self.inputs, outputs: outputs, weights: weights, layers: builder.layers)
    }

    /// Where a constant lies that may be widened.
    func storedWeight(_ value: Value) -> StoredWeight? {
        var layer = layers[value.layer]
        if layer.isDecompression { layer = layers[layer.inputs[0].layer] }
        guard layer.type == "Const", let offset = layer.integers("offset")?.first else { return nil }
        return StoredWeight(offset: offset, elementType: layer.outputs[0].elementType, shape: value.shape)
    }

    /// Computes what a pass has derived from weights; until then an engine must not read the graph's constants.
    ///
    /// - Parameter directory: Where nameless files can be made, which may be larger than the weights' own; nil takes the
    ///   temporary one.
    package func computeDerivedWeights(in directory: String? = nil) throws(GraphError) {
        let offsets = layers.lazy.filter { $0.type == "Const" }.compactMap { $0.integers("offset")?.first }
        try weights.computeDerivedWeights(at: Set(offsets), in: directory)
    }

    /// Which layers results and parameters need, when layers need the given inputs.
    private func neededLayers(_ inputs: [[Value]]) -> [Bool] {
        var needed = layers.map { $0.type == "Result" || $0.type == "Parameter" }
        for index in layers.indices.reversed() where needed[index] {
            for input in inputs[index] { needed[input.layer] = true }
        }
        return needed
    }
}

extension Graph.Layer {
    func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }

    func integers(_ name: String) -> [Int]? { attribute(name)?.split(separator: ",").compactMap { Int($0) } }
}

extension GraphBuilder {
    /// Weights of one shape in f32 that are computed together from one weight.
    ///
    /// - Parameters:
    ///   - form: What is computed, in words.
    ///   - weight: Where the weight lies.
    ///   - count: How many are computed.
    ///   - dimensions: The shape of each.
    ///   - layer: The layer that takes them.
    ///   - compute: Gets the weight's numbers as f32, and where all results go, one after another.
    func derivedWeights(
        _ form: String, from weight: Graph.StoredWeight, count: Int, dimensions: [Int], _ layer: LayerContext,
        _ compute: @escaping @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) throws(GraphError) -> [Value] {
        let shape = try layer.shape(dimensions)
        let byteCount = 4 * shape.elementCount
        let offset = weights.derive(form, from: weight.offset, byteCount: count * byteCount) { base, results in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: weight.shape.elementCount) { numbers in
                guard let numbers = numbers.baseAddress else { return }
                weight.copyNumbers(from: base, to: numbers)
                compute(numbers, results.assumingMemoryBound(to: Float.self))
            }
        }
        return (0..<count).map { index in
            let role = "weight.\(index)"
            let context = LayerContext(name: "\(layer.name).\(role)", qualifiedName: "\(layer.qualifiedName).\(role)")
            return constant(context, offset: offset + index * byteCount, .f32, shape)
        }
    }

    /// A layer of another graph with other inputs.
    fileprivate func copy(_ layer: Graph.Layer, inputs: [Value]) -> [Value] {
        emit(
            LayerContext(name: layer.name, qualifiedName: "\(name).\(layer.name)"), layer.type, opset: layer.opset,
            attributes: layer.attributes.map { ($0.name, $0.value) }, inputs: inputs, outputs: layer.outputs,
            isDecompression: layer.isDecompression)
    }
}
