internal import COpenVINO
import ChoirGraph
import ChoirTensor
import Logging

// The engine finds an entry of its cache by a hash of the graph and of all weights. So it wants the weights to be there
// at each start, the derived ones too, which take seconds to compute, and reads every one of them. Our own key knows
// which entry it is without: the weights' files tell whether they have changed. So what the engine is asked for is a
// placeholder, a graph of two layers, and the file with the placeholder's name is the compiled model's.
extension OpenVINORuntime {
    /// The place of a graph in the cache; nil without one.
    func cacheSlot(
        for graph: Graph, text: String, _ options: CompileOptions, _ properties: [(String, String)]
    ) -> CompiledModelCache.Slot? {
        guard let directory = options.cacheDirectory else { return nil }
        let engine = (try? Self.version) ?? ""
        let processor = (try? fullName(of: options.device)) ?? ""
        let slot = CompiledModelCache(directory: directory, byteLimit: options.cacheByteLimit).slot(
            for: [text, engine, options.device, processor] + properties.map { "\($0.0)=\($0.1)" },
            weights: graph.weights)
        if slot == nil {
            log.warning("\(directory): cannot be written, so every run compiles \(graph.name) anew")
        }
        return slot
    }

    /// The compiled model of an entry, a handle that the caller owns (+1). Nil, and the entry is gone, where the entry is
    /// damaged.
    func load(
        _ graph: Graph, from slot: CompiledModelCache.Slot, _ device: String, _ properties: [(String, String)]
    ) -> OpaquePointer? {
        do throws(OpenVINOError) {
            let handle = try compilePlaceholder(of: graph, in: slot, device, properties)
            // The engine replaces a file that it cannot read by what it was asked for.
            if Self.isModel(handle, of: graph) { return handle }
            ov_compiled_model_free(handle)
            log.warning("\(slot.engineDirectory): does not hold \(graph.name) and is removed")
        } catch {
            log.warning("\(slot.engineDirectory): cannot be used and is removed, \(error)")
        }
        slot.discard()
        return nil
    }

    /// Compiles a graph and makes it an entry; returns a handle that the caller owns (+1). Nil, and no entry, where the
    /// cache cannot be written: a cache that is full must not stop the work.
    func compile(
        _ text: String, _ graph: Graph, into slot: CompiledModelCache.Slot, _ device: String,
        _ properties: [(String, String)]
    ) -> OpaquePointer? {
        do throws(OpenVINOError) {
            ov_compiled_model_free(try compilePlaceholder(of: graph, in: slot, device, properties))
            let placeholders = slot.fileNames
            let handle = try compile(text, graph, device, properties + [("CACHE_DIR", slot.engineDirectory)])
            let models = slot.fileNames.filter { !placeholders.contains($0) }
            // One file each is all that is known of the engine's cache; devices that keep none or more are left alone.
            if placeholders.count == 1, models.count == 1, slot.replace(placeholders[0], by: models[0]) {
                slot.commit()
            } else {
                slot.discard()
            }
            return handle
        } catch {
            slot.discard()
            log.warning("\(slot.engineDirectory): compiling without this cache, \(error)")
            return nil
        }
    }

    /// What the engine finds under the placeholder's name: the graph's model, or the placeholder if there is none.
    private func compilePlaceholder(
        of graph: Graph, in slot: CompiledModelCache.Slot, _ device: String, _ properties: [(String, String)]
    ) throws(OpenVINOError) -> OpaquePointer {
        let placeholder: Graph
        do throws(GraphError) {
            let g = GraphBuilder(name: "placeholder of \(graph.name)", weights: try WeightStore())
            try g.result("placeholder.output", g.relu(g.parameter("placeholder.input", shape: [1])))
            placeholder = try g.build()
        } catch {
            throw OpenVINOError(.engine, graph.name, "\(error)")
        }
        let properties = properties + [("CACHE_DIR", slot.engineDirectory)]
        return try compile(IRWriter().text(of: placeholder), placeholder, device, properties)
    }

    /// Whether a compiled model takes and gives what a graph does.
    private static func isModel(_ handle: OpaquePointer, of graph: Graph) -> Bool {
        func has(_ port: Graph.Port, _ find: (UnsafePointer<CChar>, inout OpaquePointer?) -> ov_status_e) -> Bool {
            var found: OpaquePointer?
            guard find(port.name, &found) == OK, let found else { return false }
            ov_output_const_port_free(found)
            return true
        }
        return graph.inputs.allSatisfy { has($0) { ov_compiled_model_input_by_name(handle, $0, &$1) } }
            && graph.outputs.allSatisfy { has($0) { ov_compiled_model_output_by_name(handle, $0, &$1) } }
    }
}
