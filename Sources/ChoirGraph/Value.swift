public import ChoirTensor

/// One output of one layer of a graph under construction: what the functions of ``GraphBuilder`` take and return.
public struct Value: Hashable, Sendable {
    /// The extents; always known, since every graph is built for one size.
    public let shape: Shape

    /// The type of one element.
    public let elementType: ElementType

    /// The index of the layer in its graph.
    let layer: Int

    /// Which of the layer's outputs this is.
    let port: Int
}
