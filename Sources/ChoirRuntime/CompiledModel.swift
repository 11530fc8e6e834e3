internal import COpenVINO
public import ChoirGraph

/// A graph compiled for a device. Any number of requests share it and its weights.
///
/// The corresponding C type is `ov_compiled_model_t`.
public final class CompiledModel: Sendable {
    // Only read after `init`; OpenVINO lets several threads make requests of one compiled model.
    private nonisolated(unsafe) let handle: OpaquePointer

    // Constants of a graph lie in the store, and plugins are unloaded with the runtime.
    private let weights: WeightStore?
    private let runtime: OpenVINORuntime

    /// The name of the graph.
    public let name: String

    /// What the model takes.
    public let inputs: [Graph.Port]

    /// What the model gives.
    public let outputs: [Graph.Port]

    /// The device it was compiled for.
    public let device: String

    /// The precision in which it computes; never `auto`.
    public let precision: CompileOptions.Precision

    /// How many requests run at the same time; more of them wait their turn.
    public let concurrentRequests: Int

    /// Whether inputs and outputs are known to the engine by their places, as those of a file, which may have no names.
    let findsPortsByPlace: Bool

    /// Takes ownership (+1) of the handle of a compiled graph.
    convenience init(
        adopting handle: OpaquePointer,
        _ graph: Graph,
        _ runtime: OpenVINORuntime,
        _ options: CompileOptions,
        _ precision: CompileOptions.Precision
    ) {
        self.init(
            adopting: handle, name: graph.name, inputs: graph.inputs, outputs: graph.outputs, weights: graph.weights,
            runtime, options, precision)
    }

    /// Takes ownership (+1) of the handle of a compiled model; without weights, of one that the engine read itself.
    init(
        adopting handle: OpaquePointer,
        name: String,
        inputs: [Graph.Port],
        outputs: [Graph.Port],
        weights: WeightStore? = nil,
        _ runtime: OpenVINORuntime,
        _ options: CompileOptions,
        _ precision: CompileOptions.Precision
    ) {
        self.handle = handle
        self.runtime = runtime
        self.precision = precision
        self.weights = weights
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        findsPortsByPlace = weights == nil
        device = options.device
        concurrentRequests = Self.property("NUM_STREAMS", of: handle).flatMap { Int($0) } ?? options.concurrentRequests
    }

    deinit { ov_compiled_model_free(handle) }

    /// Whether the compiled model came out of the cache directory.
    public var isFromCache: Bool { Self.property("LOADED_FROM_CACHE", of: handle) == "YES" }

    /// Makes a request with input and output memory of its own. Make one per task that runs the model.
    ///
    /// The corresponding C function is `ov_compiled_model_create_infer_request`.
    public func makeRequest() throws(OpenVINOError) -> InferenceRequest {
        let request = try checkedHandle("ov_compiled_model_create_infer_request", "make a request of \(name)") {
            ov_compiled_model_create_infer_request(handle, &$0)
        }
        return try InferenceRequest(adopting: request, model: self)
    }

    private static func property(_ key: String, of handle: OpaquePointer) -> String? {
        var value: UnsafeMutablePointer<CChar>?
        guard ov_compiled_model_get_property(handle, key, &value) == OK else { return nil }
        defer { ov_free(value) }
        return value.map { String(cString: $0) }
    }
}
