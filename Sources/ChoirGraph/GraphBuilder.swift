public import ChoirTensor

/// Builds a ``Graph`` layer by layer; models are plain functions that call it.
///
/// ```swift
/// func block(_ g: GraphBuilder, _ x: Value) throws(GraphError) -> Value {
///     try g.scope("block") { () throws(GraphError) in
///         let h = try g.silu(g.groupNormalization(x, named: "norm", groups: 32))
///         return try g.add(x, g.convolution(h, named: "conv", outputChannels: x.shape[1], kernel: 3, padding: 1))
///     }
/// }
/// ```
///
/// Every function infers the shape of what it returns and throws a ``GraphError`` that names the layer. The builder is
/// a reference type, unlike most of Choir, because the functions of a model share one growing graph and nested calls
/// such as the above would need exclusive access twice. It is not `Sendable`: build in one task, share the ``Graph``.
public final class GraphBuilder {
    /// The name of the model; it starts the text of every error.
    public let name: String

    /// Where the weights come from and inline constants go.
    public let weights: WeightStore

    private(set) var layers: [Graph.Layer] = []
    private var inputs: [Graph.Port] = []
    private var outputs: [Graph.Port] = []
    private var scopes: [String] = []
    private var nameCounts: [String: Int] = [:]

    struct ConstantKey: Hashable {
        let offset: Int
        let shape: Shape
        let elementType: ElementType
    }

    /// Constants by what they hold, so that equal ones are one layer.
    var constants: [ConstantKey: Value] = [:]

    /// Starts an empty graph.
    ///
    /// - Parameters:
    ///   - name: The name of the model.
    ///   - weights: The store that ``weight(_:shape:)`` reads.
    public init(name: String, weights: WeightStore) {
        self.name = name
        self.weights = weights
    }

    /// Puts a name in front of the layers and weights that `body` adds; scopes nest and are joined by dots.
    public func scope<Result>(
        _ name: String,
        _ body: () throws(GraphError) -> Result
    ) throws(GraphError) -> Result {
        scopes.append(name)
        defer { scopes.removeLast() }
        return try body()
    }

    /// Declares an input of the model.
    ///
    /// - Parameters:
    ///   - name: The name by which a request sets the input; unique in the graph.
    ///   - shape: The extents of the data.
    ///   - elementType: The type of one element.
    public func parameter(
        _ name: String,
        shape: Shape,
        elementType: ElementType = .f32
    ) throws(GraphError) -> Value {
        try checkPortName(name)
        guard shape.elementCount > 0 else {
            throw GraphError(.shape, "\(self.name).\(name)", "expected positive extents, found \(shape)")
        }
        inputs.append(Graph.Port(name: name, shape: shape, elementType: elementType))
        let layer = LayerContext(name: unique(name), qualifiedName: "\(self.name).\(name)")
        return emit(
            layer,
            "Parameter",
            attributes: [("shape", list(shape.dimensions)), ("element_type", elementType.rawValue)],
            outputs: [Graph.Output(shape: shape, elementType: elementType, names: [name])]
        )[0]
    }

    /// Declares an output of the model.
    ///
    /// - Parameters:
    ///   - name: The name by which a request reads the output; unique in the graph.
    ///   - value: What the output gives; neither a parameter nor the value of another result.
    public func result(_ name: String, _ value: Value) throws(GraphError) {
        try checkPortName(name)
        let source = layers[value.layer]
        guard source.type != "Parameter" else {
            throw GraphError(
                .argument,
                "\(self.name).\(name)",
                "a result must be computed, but this is the parameter \"\(source.name)\""
            )
        }
        // The engine finds an output by its tensor, of which the value has only one.
        if let other = source.outputs[value.port].names.first {
            throw GraphError(.argument, "\(self.name).\(name)", "the value is the result \"\(other)\" already")
        }
        outputs.append(Graph.Port(name: name, shape: value.shape, elementType: value.elementType))
        layers[value.layer] = source.naming(port: value.port, name)
        _ = emit(
            LayerContext(name: unique(name), qualifiedName: "\(self.name).\(name)"),
            "Result",
            inputs: [value],
            outputs: []
        )
    }

    /// Ends the construction.
    ///
    /// Throws when the graph has no result.
    public func build() throws(GraphError) -> Graph {
        guard !outputs.isEmpty else { throw GraphError(.argument, name, "the graph has no result") }
        return Graph(name: name, inputs: inputs, outputs: outputs, weights: weights, layers: layers)
    }

    private func checkPortName(_ port: String) throws(GraphError) {
        guard !port.isEmpty else { throw GraphError(.name, name, "a parameter or result has an empty name") }
        guard !inputs.contains(where: { $0.name == port }), !outputs.contains(where: { $0.name == port }) else {
            throw GraphError(.name, "\(name).\(port)", "two parameters or results have this name")
        }
    }
}

// MARK: What the layer functions are made of

/// The layer that a function is about to add: its name for the graph and for errors.
struct LayerContext {
    let name: String
    let qualifiedName: String

    func error(_ code: GraphError.Code, _ message: String) -> GraphError {
        GraphError(code, qualifiedName, message)
    }

    /// Turns an axis that may count from the end into an index.
    func axis(_ axis: Int, rank: Int) throws(GraphError) -> Int {
        let index = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(index) else {
            throw error(.argument, "axis \(axis) does not exist in a value of rank \(rank)")
        }
        return index
    }

    /// Makes a shape, or says that it is too large.
    func shape(_ dimensions: [Int]) throws(GraphError) -> Shape {
        guard let shape = Shape(checking: dimensions) else {
            throw error(.shape, "the output shape \(dimensions) is not possible")
        }
        return shape
    }

    /// Checks that a value holds f32 numbers.
    func requireFloat(_ values: Value...) throws(GraphError) {
        for value in values where value.elementType != .f32 {
            throw error(.elementType, "expected f32, found \(value.elementType.rawValue)")
        }
    }

    /// Checks the rank of a value; `layout` is the expected one in words, such as `[N, C, H, W]`.
    func requireRank(_ rank: Int, _ value: Value, layout: String) throws(GraphError) {
        guard value.shape.rank == rank else {
            throw error(.shape, "expected \(layout), found \(value.shape)")
        }
    }
}

extension GraphBuilder {
    /// Names the layer of operation `type` that is about to be added in the present scope.
    func begin(_ type: String) -> LayerContext {
        let scope = scopes.joined(separator: ".")
        let layer = unique(scope.isEmpty ? type : "\(scope)/\(type)")
        return LayerContext(name: layer, qualifiedName: "\(name).\(layer)")
    }

    /// The full name of a weight in the present scope.
    func weightName(_ name: String) -> String { (scopes + [name]).joined(separator: ".") }

    private func unique(_ name: String) -> String {
        let count = nameCounts[name, default: 0]
        nameCounts[name] = count + 1
        return count == 0 ? name : unique("\(name)#\(count)")
    }

    /// The layer that gives a value.
    func source(of value: Value) -> Graph.Layer { layers[value.layer] }

    func emit(
        _ layer: LayerContext,
        _ type: String,
        opset: Int = 1,
        attributes: [(String, String)] = [],
        inputs: [Value] = [],
        outputs: [Graph.Output],
        isDecompression: Bool = false
    ) -> [Value] {
        for input in inputs {
            precondition(
                layers.indices.contains(input.layer)
                    && layers[input.layer].outputs.indices.contains(input.port)
                    && layers[input.layer].outputs[input.port].shape == input.shape,
                "\(layer.qualifiedName): an input belongs to another graph"
            )
        }
        let index = layers.count
        layers.append(
            Graph.Layer(
                name: layer.name,
                type: type,
                opset: opset,
                attributes: attributes.map { Graph.Attribute(name: $0.0, value: $0.1) },
                inputs: inputs,
                outputs: outputs,
                isDecompression: isDecompression
            )
        )
        return outputs.enumerated().map { port, output in
            Value(shape: output.shape, elementType: output.elementType, layer: index, port: port)
        }
    }

    /// Adds a layer with one output.
    func emit(
        _ layer: LayerContext,
        _ type: String,
        opset: Int = 1,
        attributes: [(String, String)] = [],
        inputs: [Value],
        shape: Shape,
        elementType: ElementType = .f32,
        isDecompression: Bool = false
    ) -> Value {
        emit(
            layer,
            type,
            opset: opset,
            attributes: attributes,
            inputs: inputs,
            outputs: [Graph.Output(shape: shape, elementType: elementType)],
            isDecompression: isDecompression
        )[0]
    }

    /// A list of integers as attributes spell it.
    func list(_ integers: [Int]) -> String { integers.map(String.init).joined(separator: ",") }
}

extension Graph.Layer {
    /// The same layer with one more tensor name on an output.
    fileprivate func naming(port: Int, _ tensorName: String) -> Graph.Layer {
        var outputs = outputs
        outputs[port].names.append(tensorName)
        return Graph.Layer(
            name: name,
            type: type,
            opset: opset,
            attributes: attributes,
            inputs: inputs,
            outputs: outputs,
            isDecompression: isDecompression
        )
    }
}
