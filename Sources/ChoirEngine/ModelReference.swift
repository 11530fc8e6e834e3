/// Which model paints.
public enum ModelReference: Hashable, Sendable {
    /// The model that comes with Choir: deep space, at any size, with no download.
    case cosmos

    /// A folder with the files of a model: `config.json`, `model.safetensors`, `words.safetensors` and `words.txt`, as
    /// `Training/export.py` writes them.
    case directory(String)
}
