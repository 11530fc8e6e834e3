public import ChoirTensor

/// A finished graph: layers in an order in which each comes after its inputs, and the store its constants lie in.
public struct Graph: Sendable {
    /// A named place where data enters or leaves.
    public struct Port: Hashable, Sendable {
        /// The name given to ``GraphBuilder/parameter(_:shape:elementType:)`` or ``GraphBuilder/result(_:_:)``.
        public let name: String
        /// The extents of the data.
        public let shape: Shape
        /// The type of one element.
        public let elementType: ElementType

        /// A port of a graph that another wrote.
        package init(name: String, shape: Shape, elementType: ElementType) {
            self.name = name
            self.shape = shape
            self.elementType = elementType
        }
    }

    /// One operation.
    struct Layer: Hashable, Sendable {
        let name: String
        let type: String
        let opset: Int
        /// In writing order, so that the text is the same every time.
        let attributes: [Attribute]
        let inputs: [Value]
        let outputs: [Output]
        /// Whether a `Convert` undoes the compression of a weight, which the engine may then skip.
        let isDecompression: Bool
    }

    struct Attribute: Hashable, Sendable {
        let name: String
        let value: String
    }

    struct Output: Hashable, Sendable {
        let shape: Shape
        let elementType: ElementType
        /// The tensor names by which a program finds this output.
        var names: [String] = []
    }

    /// The name of the model, which starts every error message about it.
    public let name: String

    /// What the model takes, in order of declaration.
    public let inputs: [Port]

    /// What the model gives, in order of declaration.
    public let outputs: [Port]

    /// The store that holds all constants; it must live as long as a model that was compiled from the graph.
    public let weights: WeightStore

    let layers: [Layer]

    /// The number of layers, constants included.
    public var layerCount: Int { layers.count }
}
