import Foundation

/// The files of the embedded model.
public enum CosmosResources {
    /// The folder with `config.json`, `model.safetensors`, `words.safetensors` and `words.txt`.
    public static var directory: String { Bundle.module.resourcePath.map { $0 + "/Cosmos" } ?? "Cosmos" }
}
