import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import ChoirModels
import ChoirTensor
import Foundation

/// Says what is in a checkpoint or a painted picture.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says what is in a checkpoint, a model's folder, or a painted picture's metadata.")

    @Argument(help: "A .safetensors file, a folder of a model, or a picture.")
    var file: String

    /// What is opened as a checkpoint. Those of PyTorch are then refused as what they are, not as pictures.
    private static let extensions = ["safetensors", "ckpt", "pt", "pth", "bin"]

    func run() async throws {
        try await exitingOnError {
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory), isDirectory.boolValue {
                switch ModelReference(path: file) {
                case .ownDenoiser: try inspectOwnDenoiser()
                case .checkpoint: try inspectCheckpoint()
                case .cosmos, .directory: try inspectModel()
                }
            } else if Self.extensions.contains(URL(fileURLWithPath: file).pathExtension) {
                let tensors = try SafetensorsFile(path: file)
                try Checkpoint.recognizes(tensors) ? inspectCheckpoint() : inspectTensors(tensors)
            } else {
                try inspectPicture()
            }
        }
    }

    /// A denoiser whose graph is what its manifest says.
    private func inspectOwnDenoiser() throws {
        let name = URL(fileURLWithPath: file).standardized.lastPathComponent
        print(try OwnDenoiser(directory: file, name: name, options: EngineOptions()).description)
    }

    /// A checkpoint of Stable Diffusion or SDXL whose weights are all there.
    private func inspectCheckpoint() throws {
        let checkpoint = try Checkpoint(path: file)
        try checkpoint.check()
        print(checkpoint.description)
    }

    private func inspectModel() throws {
        let configuration = try CosmosConfiguration(path: file + "/config.json")
        let network = configuration.network
        print("a Cosmos network: widths \(network.widths), blocks \(network.blocks), \(network.scales) scales")
        try inspectTensors(SafetensorsFile(path: file + "/model.safetensors"))
    }

    private func inspectTensors(_ checkpoint: SafetensorsFile) throws {
        let entries = checkpoint.names.compactMap { checkpoint.tensors[$0] }
        let parameters = entries.reduce(0) { $0 + $1.shape.elementCount }
        let types = Set(entries.map(\.dataType.rawValue)).sorted().joined(separator: ", ")
        print("\(checkpoint.path): \(entries.count) tensors, \(parameters) numbers, \(types)")
        for (key, value) in checkpoint.metadata.sorted(by: { $0.key < $1.key }) { print("  \(key): \(value)") }
        for entry in entries { print("  \(entry.name) \(entry.dataType.rawValue) \(entry.shape)") }
    }

    private func inspectPicture() throws {
        let metadata: ImageMetadata
        if (try? ImageFormat(path: file)) == .deepZoom {
            metadata = try InputError.reading { () throws(ImageError) in try ImageMetadata(contentsOf: file) }
            guard metadata != ImageMetadata() else {
                throw InputError(
                    description: "\(file): this is not a pyramid by Choir, no choir.json is beside its tiles")
            }
            print("\(file): a deep-zoom pyramid")
        } else {
            let reader = try InputError.reading { () throws(ImageError) in try ImageReader(path: file) }
            metadata = reader.metadata
            print("\(file): \(reader.width)x\(reader.height), \(reader.channels) channels of \(reader.bitDepth) bits")
        }
        if let parameters = metadata.parameters { print(parameters) }
        if let block = metadata.choir { print(block) }
        if metadata == ImageMetadata() { print("no metadata of a painting") }
    }
}
