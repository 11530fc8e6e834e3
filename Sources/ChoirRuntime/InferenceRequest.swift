internal import COpenVINO
import ChoirGraph
public import ChoirTensor

/// One run after another of a compiled model, with input and output memory that is allocated once.
///
/// Not `Sendable`: make one in each task, from one shared ``CompiledModel``.
///
/// ```swift
/// let request = try model.makeRequest()
/// try request.setInput("latent", latent)
/// let time = try await request.run()
/// let prediction = try request.output("prediction")
/// ```
///
/// The corresponding C type is `ov_infer_request_t`.
public final class InferenceRequest {
    /// Memory of one input or output, as the engine allocated it.
    private struct Buffer {
        let port: Graph.Port
        let tensor: OpaquePointer
        let address: UnsafeMutableRawPointer
    }

    /// The model that the request runs.
    public let model: CompiledModel

    private let handle: RequestHandle
    private var inputs: [String: Buffer] = [:]
    private var outputs: [String: Buffer] = [:]

    /// Takes ownership (+1) of the request.
    init(adopting pointer: OpaquePointer, model: CompiledModel) throws(OpenVINOError) {
        self.model = model
        handle = try RequestHandle(adopting: pointer, model: model)
        for (index, port) in model.inputs.enumerated() {
            inputs[port.name] = try Self.attach(port, of: model) { tensor in
                model.findsPortsByPlace
                    ? ov_infer_request_set_input_tensor_by_index(pointer, index, tensor)
                    : ov_infer_request_set_tensor(pointer, port.name, tensor)
            }
        }
        for (index, port) in model.outputs.enumerated() {
            outputs[port.name] = try Self.attach(port, of: model) { tensor in
                model.findsPortsByPlace
                    ? ov_infer_request_set_output_tensor_by_index(pointer, index, tensor)
                    : ov_infer_request_set_tensor(pointer, port.name, tensor)
            }
        }
    }

    deinit {
        for buffer in inputs.values { ov_tensor_free(buffer.tensor) }
        for buffer in outputs.values { ov_tensor_free(buffer.tensor) }
    }

    /// Copies a tensor into an input of f32 numbers.
    ///
    /// Throws when the model has no such input or its shape or element type is another one.
    public func setInput(_ name: String, _ tensor: Tensor) throws(OpenVINOError) {
        let buffer = try input(name, shape: tensor.shape, [.f32], found: "f32 numbers")
        tensor.withSpan { span in
            span.withUnsafeBytes {
                if let source = $0.baseAddress { buffer.address.copyMemory(from: source, byteCount: $0.count) }
            }
        }
    }

    /// Copies integers, such as token ids, into an input of i32 or i64 numbers.
    ///
    /// Throws when the model has no such input, its shape or element type is another one, or a number does not fit.
    public func setInput(_ name: String, integers: [Int], shape: Shape) throws(OpenVINOError) {
        precondition(integers.count == shape.elementCount, "\(integers.count) integers for shape \(shape)")
        let buffer = try input(name, shape: shape, [.i32, .i64], found: "integers")
        if buffer.port.elementType == .i64 {
            let destination = buffer.address.assumingMemoryBound(to: Int64.self)
            for (index, integer) in integers.enumerated() { destination[index] = Int64(integer) }
        } else {
            let destination = buffer.address.assumingMemoryBound(to: Int32.self)
            for (index, integer) in integers.enumerated() {
                guard let narrow = Int32(exactly: integer) else {
                    throw OpenVINOError(
                        .port,
                        "input \(name) of \(model.name)",
                        "\(integer) at index \(index) does not fit in i32"
                    )
                }
                destination[index] = narrow
            }
        }
    }

    /// Provides scoped write access to an input of f32 numbers, row-major, without a copy.
    public func withInput<Result>(
        _ name: String,
        _ body: (inout MutableSpan<Float>) throws -> Result
    ) throws -> Result {
        let buffer = try input(name, shape: nil, [.f32], found: "f32 numbers")
        var span = MutableSpan(
            _unsafeStart: buffer.address.assumingMemoryBound(to: Float.self),
            count: buffer.port.shape.elementCount
        )
        return try body(&span)
    }

    /// Runs the model on the inputs as they are now.
    ///
    /// Awaits the engine without blocking a thread. When the task is cancelled the engine stops at the next layer and
    /// `CancellationError` is thrown; the request can be used again.
    ///
    /// - Returns: The time from the start to the engine's notice of completion, on a monotonic clock. It includes
    ///   waiting for a turn when more than ``CompiledModel/concurrentRequests`` requests run at once.
    ///
    /// The corresponding C functions are `ov_infer_request_start_async` and `ov_infer_request_cancel`.
    @discardableResult
    public nonisolated(nonsending) func run() async throws -> Duration {
        try Task.checkCancellation()
        return try await handle.run()
    }

    /// A copy of an output of f32 numbers after ``run()``.
    ///
    /// Throws when the model has no such output.
    public func output(_ name: String) throws(OpenVINOError) -> Tensor {
        let buffer = try outputBuffer(name)
        let source = UnsafeBufferPointer(
            start: buffer.address.assumingMemoryBound(to: Float.self),
            count: buffer.port.shape.elementCount
        )
        return Tensor(shape: buffer.port.shape, elements: Array(source))
    }

    /// Provides scoped read access to an output of f32 numbers after ``run()``, row-major, without a copy.
    public func withOutput<Result>(
        _ name: String,
        _ body: (Span<Float>) throws -> Result
    ) throws -> Result {
        let buffer = try outputBuffer(name)
        return try body(
            Span(
                _unsafeStart: buffer.address.assumingMemoryBound(to: Float.self),
                count: buffer.port.shape.elementCount
            )
        )
    }

    private func input(
        _ name: String,
        shape: Shape?,
        _ elementTypes: [ElementType],
        found: String
    ) throws(OpenVINOError) -> Buffer {
        guard let buffer = inputs[name] else {
            let known = model.inputs.map(\.name).joined(separator: ", ")
            throw OpenVINOError(.port, "input \(name) of \(model.name)", "no such input; the model takes \(known)")
        }
        guard elementTypes.contains(buffer.port.elementType) else {
            throw OpenVINOError(
                .port,
                "input \(name) of \(model.name)",
                "expected \(buffer.port.elementType.rawValue), found \(found)"
            )
        }
        guard shape == nil || shape == buffer.port.shape else {
            throw OpenVINOError(
                .port,
                "input \(name) of \(model.name)",
                "expected shape \(buffer.port.shape), found \(shape?.description ?? "")"
            )
        }
        return buffer
    }

    private func outputBuffer(_ name: String) throws(OpenVINOError) -> Buffer {
        guard let buffer = outputs[name] else {
            let known = model.outputs.map(\.name).joined(separator: ", ")
            throw OpenVINOError(.port, "output \(name) of \(model.name)", "no such output; the model gives \(known)")
        }
        guard buffer.port.elementType == .f32 else {
            throw OpenVINOError(
                .port,
                "output \(name) of \(model.name)",
                "is of \(buffer.port.elementType.rawValue), not f32"
            )
        }
        return buffer
    }

    /// Allocates memory for an input or output and makes the request use it.
    private static func attach(
        _ port: Graph.Port,
        of model: CompiledModel,
        use: (OpaquePointer) -> ov_status_e
    ) throws(OpenVINOError) -> Buffer {
        let subject = "allocate \(port.name) of \(model.name)"
        var extents = port.shape.dimensions.map(Int64.init)
        let tensor = try checkedHandle("ov_tensor_create", subject) { handle in
            extents.withUnsafeMutableBufferPointer {
                ov_tensor_create(
                    port.elementType.native,
                    ov_shape_t(rank: Int64($0.count), dims: $0.baseAddress),
                    &handle
                )
            }
        }
        do throws(OpenVINOError) {
            var address: UnsafeMutableRawPointer?
            try check("ov_tensor_data", subject) { ov_tensor_data(tensor, &address) }
            guard let address else { throw OpenVINOError(.engine, subject, "ov_tensor_data gave no address") }
            try check("ov_infer_request_set_tensor", subject) { use(tensor) }
            return Buffer(port: port, tensor: tensor, address: address)
        } catch {
            ov_tensor_free(tensor)
            throw error
        }
    }
}

extension ElementType {
    fileprivate var native: ov_element_type_e {
        switch self {
        case .f32: F32
        case .f16: F16
        case .bf16: BF16
        case .i32: I32
        case .i64: I64
        case .boolean: OV_BOOLEAN
        }
    }
}
