internal import COpenVINO
import ChoirGraph
public import ChoirTensor
import Dispatch

extension OpenVINORuntime {
    /// Reads what a model in a file takes and gives; compiles nothing.
    ///
    /// The corresponding C functions are `ov_core_read_model` and `ov_model_reshape_by_port_indexes`.
    ///
    /// - Parameters:
    ///   - path: An ONNX file, or the `.xml` file of an IR.
    ///   - names: Names that are sought. A port can have several; if it has one of these, it is described by that.
    ///   - inputShapes: Shapes for all inputs in the file's order, which may settle those of outputs; nil leaves them.
    /// - Throws: `OpenVINOError` if the file cannot be read, or not be given these shapes.
    public func modelFile(
        _ path: String, seeking names: [String] = [], inputShapes: [Shape]? = nil
    ) throws(OpenVINOError) -> ModelFile {
        let model = try read(path)
        defer { ov_model_free(model) }
        if let inputShapes { try Self.reshape(model, to: inputShapes, path) }
        return ModelFile(
            path: path, inputs: try Self.ports(of: model, .input, seeking: names),
            outputs: try Self.ports(of: model, .output, seeking: names))
    }

    /// Compiles a model in a file for a device. All inputs and outputs become f32, whatever they are in the file.
    ///
    /// Nothing is kept in the cache directory. The corresponding C functions are `ov_core_read_model`,
    /// `ov_preprocess_prepostprocessor_build` and `ov_core_compile_model_props`.
    ///
    /// - Parameters:
    ///   - file: What ``modelFile(_:seeking:inputShapes:)`` said of it; all shapes must be settled.
    ///   - options: For which device and how.
    /// - Throws: `OpenVINOError`, also if the file is no longer what it was.
    public func compile(
        _ file: ModelFile, options: CompileOptions = CompileOptions()
    ) async throws(OpenVINOError) -> CompiledModel {
        let result: Result<CompiledModel, OpenVINOError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(OpenVINOError) in try self.compileNow(file, options: options) })
            }
        }
        return try result.get()
    }

    private func compileNow(_ file: ModelFile, options: CompileOptions) throws(OpenVINOError) -> CompiledModel {
        try options.validate()
        let precision = try resolvedPrecision(options.precision, device: options.device)
        let model = try read(file.path)
        defer { ov_model_free(model) }
        let inputs = try Self.settled(file.inputs, file.path)
        let outputs = try Self.settled(file.outputs, file.path)
        try Self.reshape(model, to: inputs.map(\.shape), file.path)
        let names = (file.inputs + file.outputs).map(\.name)
        for (place, ports) in [(Place.input, file.inputs), (.output, file.outputs)] {
            let found = try Self.ports(of: model, place, seeking: names)
            guard found == ports else {
                throw OpenVINOError(.port, "read \(file.path)", "the file has changed since it was opened")
            }
        }
        let converted = try Self.convertedToF32(model, inputs: inputs.count, outputs: outputs.count, file.path)
        defer { ov_model_free(converted) }
        let handle = try compile(
            converted, name: file.path, device: options.device, properties: Self.properties(options, precision))
        return CompiledModel(
            adopting: handle, name: file.path, inputs: inputs, outputs: outputs, self, options, precision)
    }

    private func read(_ path: String) throws(OpenVINOError) -> OpaquePointer {
        try checkedHandle("ov_core_read_model", "read \(path)") { ov_core_read_model(core, path, nil, &$0) }
    }

    /// An input or an output.
    private enum Place { case input, output }

    private static func ports(
        of model: OpaquePointer, _ place: Place, seeking names: [String]
    ) throws(OpenVINOError) -> [ModelFile.Port] {
        var count = 0
        let subject = "list what a model \(place == .input ? "takes" : "gives")"
        try check("ov_model_\(place)s_size", subject) {
            place == .input ? ov_model_inputs_size(model, &count) : ov_model_outputs_size(model, &count)
        }
        // By the engine's name, because a port that was found by one of its names does not tell its place.
        var sought: [String: String] = [:]
        for name in names {
            var port: OpaquePointer?
            let status =
                place == .input
                ? ov_model_const_input_by_name(model, name, &port) : ov_model_const_output_by_name(model, name, &port)
            guard status == OK, let port else { continue }
            defer { ov_output_const_port_free(port) }
            if let engineName = Self.name(of: port) { sought[engineName] = name }
        }
        var ports: [ModelFile.Port] = []
        for index in 0..<count {
            let port = try checkedHandle("ov_model_const_\(place)_by_index", subject) {
                place == .input
                    ? ov_model_const_input_by_index(model, index, &$0)
                    : ov_model_const_output_by_index(model, index, &$0)
            }
            defer { ov_output_const_port_free(port) }
            let name = Self.name(of: port)
            ports.append(
                ModelFile.Port(
                    name: name.map { sought[$0] ?? $0 } ?? "\(place) \(index + 1)",
                    dimensions: try dimensions(of: port), elementType: try elementKind(of: port)))
        }
        return ports
    }

    /// One of a port's names; nil if it has none.
    private static func name(of port: OpaquePointer) -> String? {
        var name: UnsafeMutablePointer<CChar>?
        guard ov_port_get_any_name(port, &name) == OK else { return nil }
        defer { ov_free(name) }
        return name.map { String(cString: $0) }
    }

    private static func dimensions(of port: OpaquePointer) throws(OpenVINOError) -> [Int?]? {
        var shape = ov_partial_shape_t()
        try check("ov_port_get_partial_shape") { ov_port_get_partial_shape(port, &shape) }
        defer { ov_partial_shape_free(&shape) }
        guard !ov_rank_is_dynamic(shape.rank) else { return nil }
        return (0..<Int(shape.rank.min)).map { index in
            guard let extent = shape.dims?[index], !ov_dimension_is_dynamic(extent) else { return nil }
            return Int(extent.min)
        }
    }

    private static func elementKind(of port: OpaquePointer) throws(OpenVINOError) -> ModelFile.ElementKind {
        var type = DYNAMIC
        try check("ov_port_get_element_type") { ov_port_get_element_type(port, &type) }
        switch type {
        case F32, F16, BF16, F64: return .numbers
        case I32, I64: return .integers
        default: return .others
        }
    }

    /// Gives every input its shape.
    private static func reshape(
        _ model: OpaquePointer, to shapes: [Shape], _ path: String
    ) throws(OpenVINOError) {
        let subject = "give the inputs of \(path) the shapes \(shapes.map(\.description).joined(separator: ", "))"
        var count = 0
        try check("ov_model_inputs_size", subject) { ov_model_inputs_size(model, &count) }
        guard count == shapes.count else {
            throw OpenVINOError(.port, subject, "the file has \(count) inputs, expected \(shapes.count)")
        }
        var partial: [ov_partial_shape_t] = []
        defer { for index in partial.indices { ov_partial_shape_free(&partial[index]) } }
        for shape in shapes {
            var made = ov_partial_shape_t()
            let extents = shape.dimensions.map(Int64.init)
            try check("ov_partial_shape_create_static", subject) {
                ov_partial_shape_create_static(Int64(extents.count), extents, &made)
            }
            partial.append(made)
        }
        let indices = Array(shapes.indices)
        try check("ov_model_reshape_by_port_indexes", subject) {
            ov_model_reshape_by_port_indexes(model, indices, partial, shapes.count)
        }
    }

    private static func settled(
        _ ports: [ModelFile.Port], _ path: String
    ) throws(OpenVINOError) -> [Graph.Port] {
        var settled: [Graph.Port] = []
        for port in ports {
            let extents = port.dimensions?.compactMap { $0 } ?? []
            guard let dimensions = port.dimensions, extents.count == dimensions.count, extents.allSatisfy({ $0 > 0 })
            else {
                throw OpenVINOError(
                    .port, "compile \(path)",
                    "\(port.name): found the shape \(port.shapeDescription), expected no open one")
            }
            settled.append(Graph.Port(name: port.name, shape: Shape(extents), elementType: .f32))
        }
        return settled
    }

    /// The model with conversions from and to f32 at its ends.
    private static func convertedToF32(
        _ model: OpaquePointer, inputs: Int, outputs: Int, _ path: String
    ) throws(OpenVINOError) -> OpaquePointer {
        let subject = "convert the ends of \(path) to f32"
        let processor = try checkedHandle("ov_preprocess_prepostprocessor_create", subject) {
            ov_preprocess_prepostprocessor_create(model, &$0)
        }
        defer { ov_preprocess_prepostprocessor_free(processor) }
        for index in 0..<inputs {
            let info = try checkedHandle("ov_preprocess_prepostprocessor_get_input_info_by_index", subject) {
                ov_preprocess_prepostprocessor_get_input_info_by_index(processor, index, &$0)
            }
            defer { ov_preprocess_input_info_free(info) }
            let tensor = try checkedHandle("ov_preprocess_input_info_get_tensor_info", subject) {
                ov_preprocess_input_info_get_tensor_info(info, &$0)
            }
            defer { ov_preprocess_input_tensor_info_free(tensor) }
            try check("ov_preprocess_input_tensor_info_set_element_type", subject) {
                ov_preprocess_input_tensor_info_set_element_type(tensor, F32)
            }
        }
        for index in 0..<outputs {
            let info = try checkedHandle("ov_preprocess_prepostprocessor_get_output_info_by_index", subject) {
                ov_preprocess_prepostprocessor_get_output_info_by_index(processor, index, &$0)
            }
            defer { ov_preprocess_output_info_free(info) }
            let tensor = try checkedHandle("ov_preprocess_output_info_get_tensor_info", subject) {
                ov_preprocess_output_info_get_tensor_info(info, &$0)
            }
            defer { ov_preprocess_output_tensor_info_free(tensor) }
            try check("ov_preprocess_output_set_element_type", subject) {
                ov_preprocess_output_set_element_type(tensor, F32)
            }
        }
        return try checkedHandle("ov_preprocess_prepostprocessor_build", subject) {
            ov_preprocess_prepostprocessor_build(processor, &$0)
        }
    }
}
