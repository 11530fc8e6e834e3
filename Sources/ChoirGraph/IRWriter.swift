import ChoirTensor

/// Writes a graph as OpenVINO's intermediate representation, version 11: an XML text whose constants are offsets into
/// the weights.
///
/// The same graph gives the same text, byte for byte.
/// See <https://docs.openvino.ai/2025/documentation/openvino-ir-format.html>.
public struct IRWriter: Sendable {
    /// Makes a writer.
    public init() {}

    /// The text of a graph.
    public func text(of graph: Graph) -> String {
        var text = "<?xml version=\"1.0\"?>\n<net name=\"\(escaped(graph.name))\" version=\"11\">\n\t<layers>\n"
        for (index, layer) in graph.layers.enumerated() { write(layer, index, to: &text) }
        text += "\t</layers>\n\t<edges>\n"
        for (index, layer) in graph.layers.enumerated() {
            for (port, input) in layer.inputs.enumerated() {
                // Inputs and outputs of a layer are counted together, inputs first.
                let sourcePort = graph.layers[input.layer].inputs.count + input.port
                text += "\t\t<edge from-layer=\"\(input.layer)\" from-port=\"\(sourcePort)\""
                text += " to-layer=\"\(index)\" to-port=\"\(port)\" />\n"
            }
        }
        text += "\t</edges>\n\t<rt_info />\n</net>\n"
        return text
    }

    private func write(_ layer: Graph.Layer, _ index: Int, to text: inout String) {
        text += "\t\t<layer id=\"\(index)\" name=\"\(escaped(layer.name))\" type=\"\(layer.type)\""
        text += " version=\"opset\(layer.opset)\">\n"
        if !layer.attributes.isEmpty {
            let attributes = layer.attributes.map { " \($0.name)=\"\(escaped($0.value))\"" }.joined()
            text += "\t\t\t<data\(attributes) />\n"
        }
        if layer.isDecompression {
            text += "\t\t\t<rt_info>\n\t\t\t\t<attribute name=\"decompression\" version=\"0\" />\n\t\t\t</rt_info>\n"
        }
        if !layer.inputs.isEmpty {
            text += "\t\t\t<input>\n"
            for (port, input) in layer.inputs.enumerated() {
                write(port: port, input.shape.dimensions, input.elementType, names: [], to: &text)
            }
            text += "\t\t\t</input>\n"
        }
        if !layer.outputs.isEmpty {
            text += "\t\t\t<output>\n"
            for (port, output) in layer.outputs.enumerated() {
                write(
                    port: layer.inputs.count + port,
                    output.shape.dimensions,
                    output.elementType,
                    names: output.names,
                    to: &text
                )
            }
            text += "\t\t\t</output>\n"
        }
        text += "\t\t</layer>\n"
    }

    private func write(
        port: Int,
        _ dimensions: [Int],
        _ elementType: ElementType,
        names: [String],
        to text: inout String
    ) {
        text += "\t\t\t\t<port id=\"\(port)\" precision=\"\(elementType.portPrecision)\""
        if !names.isEmpty {
            // The attribute is a list with commas, hence those inside a name are marked.
            let list = names.map { escaped($0.replacing(",", with: "\\,")) }.joined(separator: ",")
            text += " names=\"\(list)\""
        }
        if dimensions.isEmpty {
            text += " />\n"
            return
        }
        text += ">\n"
        for extent in dimensions { text += "\t\t\t\t\t<dim>\(extent)</dim>\n" }
        text += "\t\t\t\t</port>\n"
    }

    /// Text as it stands in an XML attribute.
    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\u{9}", "\u{A}", "\u{D}": result += "&#\(scalar.value);"
            // XML 1.0 has no way to write the other control characters.
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
