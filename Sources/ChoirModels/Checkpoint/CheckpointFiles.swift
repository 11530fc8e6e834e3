public import ChoirTensor
import Foundation

/// Finds the weights of one network in its folder: one file or shards, of whatever variant.
public enum CheckpointFiles {
    /// Opens all files with the weights of a network and validates their headers.
    ///
    /// Takes, in this order, `<stem>.safetensors`, the shards that `<stem>.safetensors.index.json` names, and the first
    /// variant by name, such as `<stem>.fp16.safetensors`.
    ///
    /// - Parameters:
    ///   - directory: The network's folder.
    ///   - stem: `diffusion_pytorch_model` for diffusers, `model` for transformers.
    /// - Throws: `ModelError` that names the file, such as a shard that is not there or lacks a weight.
    public static func weights(in directory: String, stem: String) throws(ModelError) -> [SafetensorsFile] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory))?.sorted() ?? []
        let whole = names.filter { isWhole($0, stem) }
        let indices = names.filter { $0.hasPrefix(stem + ".") && $0.contains(".index.") && $0.hasSuffix(".json") }
            .filter { $0.contains(".safetensors.") }
        if whole.contains("\(stem).safetensors") {
            return [try open("\(directory)/\(stem).safetensors")]
        }
        if indices.contains("\(stem).safetensors.index.json") {
            return try shards(in: directory, index: "\(stem).safetensors.index.json")
        }
        if let variant = whole.first { return [try open("\(directory)/\(variant)")] }
        if let variant = indices.first { return try shards(in: directory, index: variant) }
        let others = names.filter { $0.hasPrefix(stem) }
        throw ModelError(
            directory,
            "expected the weights \(stem).safetensors or its shards, found "
                + (others.isEmpty ? "neither" : others.prefix(3).joined(separator: ", ")))
    }

    /// Opens a file and validates its header.
    static func open(_ path: String) throws(ModelError) -> SafetensorsFile {
        do {
            return try SafetensorsFile(path: path)
        } catch {
            throw ModelError(path, (error.tensor.map { "tensor \"\($0)\": " } ?? "") + error.message)
        }
    }

    /// Whether a name is `<stem>.safetensors` or `<stem>.<variant>.safetensors`, and no shard.
    private static func isWhole(_ name: String, _ stem: String) -> Bool {
        name.hasPrefix(stem + ".") && name.hasSuffix(".safetensors")
            && name.wholeMatch(of: /.*-\d+-of-\d+(\..*)?\.safetensors/) == nil
    }

    private static func shards(in directory: String, index: String) throws(ModelError) -> [SafetensorsFile] {
        let fields = try ConfigurationFields(path: "\(directory)/\(index)")
        let map = try fields.texts("weight_map")
        guard !map.isEmpty else { throw ModelError(fields.path, "weight_map: found no weights") }
        var files: [String: SafetensorsFile] = [:]
        for (weight, shard) in map.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
            if files[shard] == nil {
                guard !shard.isEmpty, !shard.contains("/"), shard != ".", shard != ".." else {
                    throw ModelError(
                        fields.path, "weight_map.\(weight): found \"\(shard)\", expected a file of the same folder")
                }
                guard FileManager.default.fileExists(atPath: "\(directory)/\(shard)") else {
                    throw ModelError(fields.path, "weight_map names the shard \(shard), which is missing")
                }
                files[shard] = try open("\(directory)/\(shard)")
            }
            guard files[shard]?.tensors[weight] != nil else {
                throw ModelError("\(directory)/\(shard)", "the weight \(weight) is missing, \(index) says it is here")
            }
        }
        return files.sorted { $0.key < $1.key }.map(\.value)
    }
}
