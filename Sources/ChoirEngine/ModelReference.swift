import ChoirModels
import Foundation

/// Which model paints.
public enum ModelReference: Hashable, Sendable {
    /// The model that comes with Choir: deep space, at any size, with no download.
    case cosmos

    /// A folder with the files of a model: `config.json`, `model.safetensors`, `words.safetensors` and `words.txt`, as
    /// `Training/export.py` writes them.
    case directory(String)

    /// A checkpoint of Stable Diffusion 1.x, 2.x or SDXL: a folder of diffusers, or one `.safetensors` file in the
    /// original layout.
    case checkpoint(String)

    /// A denoiser of one's own: a folder with an ONNX file or an OpenVINO IR and the manifest `choir.json`, see
    /// `DenoiserManifest`.
    case ownDenoiser(String)

    /// The model at a path, by what lies there: a folder with `choir.json` is a denoiser of one's own; one with
    /// `model_index.json` or `unet`, or a file, is a checkpoint.
    public init(path: String) {
        if FileManager.default.fileExists(atPath: "\(path)/\(DenoiserManifest.fileName)") {
            self = .ownDenoiser(path)
            return
        }
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let isCheckpoint =
            exists && isDirectory.boolValue
            ? ["model_index.json", "unet"].contains { FileManager.default.fileExists(atPath: "\(path)/\($0)") }
            : exists || path.hasSuffix(".safetensors")
        self = isCheckpoint ? .checkpoint(path) : .directory(path)
    }

    /// The name of what lies at a path, which is the same from wherever it is named, be it ".".
    static func name(of path: String) -> String {
        URL(fileURLWithPath: path).standardized.lastPathComponent
    }
}
