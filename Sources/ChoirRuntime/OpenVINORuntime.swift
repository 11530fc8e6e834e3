internal import COpenVINO
public import ChoirGraph
import Dispatch
import Logging

/// The inference engine: knows the devices and compiles graphs for them. One per process is enough.
///
/// The corresponding C type is `ov_core_t`.
public final class OpenVINORuntime: Sendable {
    // OpenVINO guards its registry of plugins with locks of its own (`CoreImpl::m_mutex`), and compiling from several
    // threads is a documented use.
    nonisolated(unsafe) let core: OpaquePointer

    /// Loads the engine. Devices are loaded when first used. The corresponding C function is `ov_core_create`.
    public init() throws(OpenVINOError) {
        core = try checkedHandle("ov_core_create", "start OpenVINO") { ov_core_create(&$0) }
    }

    deinit { ov_core_free(core) }

    /// The build number of the engine, such as `2026.4.1-…`.
    ///
    /// The corresponding C function is `ov_get_openvino_version`.
    public static var version: String {
        get throws(OpenVINOError) {
            var version = ov_version_t()
            try check("ov_get_openvino_version") { ov_get_openvino_version(&version) }
            defer { ov_version_free(&version) }
            return version.buildNumber.map { String(cString: $0) } ?? ""
        }
    }

    /// The names of the devices that this machine has, such as `CPU`.
    ///
    /// The corresponding C function is `ov_core_get_available_devices`.
    public func availableDevices() throws(OpenVINOError) -> [String] {
        var list = ov_available_devices_t()
        try check("ov_core_get_available_devices") { ov_core_get_available_devices(core, &list) }
        defer { ov_available_devices_free(&list) }
        return (0..<list.size).compactMap { list.devices?[$0].map { String(cString: $0) } }
    }

    /// The number formats in which a device computes well, such as `FP32` and `BF16`, and what else it can do.
    public func capabilities(of device: String) throws(OpenVINOError) -> [String] {
        try property("OPTIMIZATION_CAPABILITIES", of: device).split(separator: " ").map(String.init)
    }

    /// The full name of a device, such as a processor's model name.
    public func fullName(of device: String) throws(OpenVINOError) -> String {
        try property("FULL_DEVICE_NAME", of: device)
    }

    /// Compiles a graph for a device.
    ///
    /// Takes up to some seconds, on a thread outside Swift's pool; it cannot be cancelled once it has begun. The
    /// corresponding C functions are `ov_core_read_model_from_memory_buffer` and `ov_core_compile_model_props`.
    public func compile(
        _ graph: Graph,
        options: CompileOptions = CompileOptions()
    ) async throws(OpenVINOError) -> CompiledModel {
        let result: Result<CompiledModel, OpenVINOError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(OpenVINOError) in try self.compileNow(graph, options: options) }
                )
            }
        }
        return try result.get()
    }

    /// The precision in which a device would compute for the given choice.
    ///
    /// Throws when the device cannot compute in the precision that was asked for.
    public func resolvedPrecision(
        _ precision: CompileOptions.Precision,
        device: String
    ) throws(OpenVINOError) -> CompileOptions.Precision {
        try requireDevice(device)
        let capabilities = try capabilities(of: device)
        switch precision {
        case .f32: return .f32
        case .auto:
            let hasBF16 = capabilities.contains(CompileOptions.Precision.bf16.capability)
            return hasBF16 && Processor.computesFasterInBF16 ? .bf16 : .f32
        case .bf16, .f16:
            guard capabilities.contains(precision.capability) else {
                throw OpenVINOError(
                    .device,
                    "precision \(precision.rawValue)",
                    "device \(device) does not compute in it; it offers \(capabilities.joined(separator: ", "))"
                )
            }
            return precision
        }
    }

    private func compileNow(_ graph: Graph, options: CompileOptions) throws(OpenVINOError) -> CompiledModel {
        try options.validate()
        try requireDevice(options.device)
        let precision = try resolvedPrecision(options.precision, device: options.device)
        let graph = try accelerated(graph, device: options.device, precision)
        let text = IRWriter().text(of: graph)

        let properties = Self.properties(options, precision)

        let slot = cacheSlot(for: graph, text: text, options, properties)
        if let slot, slot.isFilled, let handle = load(graph, from: slot, options.device, properties) {
            return CompiledModel(adopting: handle, graph, self, options, precision)
        }
        do throws(GraphError) {
            try graph.computeDerivedWeights(in: slot?.engineDirectory)
        } catch {
            throw OpenVINOError(.engine, graph.name, "\(error)")
        }
        let handle =
            if let slot, !slot.isFilled, let handle = compile(text, graph, into: slot, options.device, properties) {
                handle
            } else {
                try compile(text, graph, options.device, properties)
            }
        graph.weights.releasePages()
        return CompiledModel(adopting: handle, graph, self, options, precision)
    }

    /// How many bytes of weights a graph has in the engine beyond its own, because it is computed in another form.
    public func addedWeightBytes(
        of graph: Graph, device: String, _ precision: CompileOptions.Precision
    ) -> Int {
        Self.usesWinograd(device: device, precision) ? graph.winogradByteCount : 0
    }

    private static func usesWinograd(device: String, _ precision: CompileOptions.Precision) -> Bool {
        device == "CPU" && precision == .f32
    }

    /// The graph in the form in which it is fastest.
    private func accelerated(
        _ graph: Graph, device: String, _ precision: CompileOptions.Precision
    ) throws(OpenVINOError) -> Graph {
        guard Self.usesWinograd(device: device, precision) else { return graph }
        do throws(GraphError) {
            let graph = try graph.withEnlargedConvolutions().withWinogradConvolutions()
            // With AVX-512 the engine itself has such layers as convolutions, where it finds that faster.
            return Processor.isAVX2 ? try graph.withWideLinearLayers() : graph
        } catch {
            throw OpenVINOError(.engine, graph.name, "\(error)")
        }
    }

    /// The options as the engine takes them.
    static func properties(
        _ options: CompileOptions, _ precision: CompileOptions.Precision
    ) -> [(String, String)] {
        let threads = options.threads.map { [("INFERENCE_NUM_THREADS", "\($0)")] } ?? []
        return [
            ("INFERENCE_PRECISION_HINT", precision.rawValue), ("NUM_STREAMS", "\(options.concurrentRequests)"),
        ] + threads
    }

    /// Reads the text and compiles it; returns a handle that the caller owns (+1).
    func compile(
        _ text: String,
        _ graph: Graph,
        _ device: String,
        _ properties: [(String, String)]
    ) throws(OpenVINOError) -> OpaquePointer {
        let weights = graph.weights.bytes
        let tensor = try checkedHandle("ov_tensor_create_from_host_ptr", "wrap the weights of \(graph.name)") {
            handle in
            var extent = Int64(weights.count)
            return withUnsafeMutablePointer(to: &extent) { extent in
                // The engine only reads; its type is mutable because the same function serves outputs.
                ov_tensor_create_from_host_ptr(
                    U8,
                    ov_shape_t(rank: 1, dims: extent),
                    UnsafeMutableRawPointer(mutating: weights.baseAddress),
                    &handle
                )
            }
        }
        defer { ov_tensor_free(tensor) }
        let model = try checkedHandle("ov_core_read_model_from_memory_buffer", "read \(graph.name)") { handle in
            text.utf8CString.withUnsafeBufferPointer {
                ov_core_read_model_from_memory_buffer(core, $0.baseAddress, $0.count - 1, tensor, &handle)
            }
        }
        defer { ov_model_free(model) }
        return try compile(model, name: graph.name, device: device, properties: properties)
    }

    /// Compiles what was read; returns a handle that the caller owns (+1).
    func compile(
        _ model: OpaquePointer, name: String, device: String, properties: [(String, String)]
    ) throws(OpenVINOError) -> OpaquePointer {
        let start = ContinuousClock.now
        let handle = try withProperties(properties) { properties throws(OpenVINOError) in
            try checkedHandle("ov_core_compile_model_props", "compile \(name) for \(device)") {
                ov_core_compile_model_props(
                    core,
                    model,
                    device,
                    properties.count,
                    properties.baseAddress,
                    &$0
                )
            }
        }
        let options = properties.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
        log.debug("compiled \(name) for \(device) in \(ContinuousClock.now - start): \(options)")
        return handle
    }

    private func property(_ key: String, of device: String) throws(OpenVINOError) -> String {
        var value: UnsafeMutablePointer<CChar>?
        try check("ov_core_get_property", "ask device \(device) for \(key)") {
            ov_core_get_property(core, device, key, &value)
        }
        defer { ov_free(value) }
        return value.map { String(cString: $0) } ?? ""
    }

    private func requireDevice(_ device: String) throws(OpenVINOError) {
        let available = try availableDevices()
        // `GPU` stands for all of `GPU.0`, `GPU.1`; virtual devices such as `AUTO` and `HETERO:…` are never listed.
        let isVirtual = ["AUTO", "MULTI", "HETERO", "BATCH"].contains(String(device.prefix { $0 != ":" }))
        guard isVirtual || available.contains(where: { $0 == device || $0.hasPrefix("\(device).") }) else {
            throw OpenVINOError(
                .device,
                "device \(device)",
                "this machine does not have it; it has \(available.joined(separator: ", "))"
            )
        }
    }
}

/// Provides pairs of strings as the array that OpenVINO takes.
private func withProperties<Result>(
    _ pairs: [(String, String)],
    _ body: (UnsafeBufferPointer<ov_property_t>) throws(OpenVINOError) -> Result
) throws(OpenVINOError) -> Result {
    var texts: [UnsafeMutablePointer<CChar>] = []
    defer { for text in texts { text.deallocate() } }
    func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
        let characters = text.utf8CString
        let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: characters.count)
        for (index, character) in characters.enumerated() { (pointer + index).initialize(to: character) }
        texts.append(pointer)
        return pointer
    }
    let properties = pairs.map { ov_property_t(key: copy($0.0), value: copy($0.1)) }
    return try properties.withUnsafeBufferPointer { buffer throws(OpenVINOError) in try body(buffer) }
}
