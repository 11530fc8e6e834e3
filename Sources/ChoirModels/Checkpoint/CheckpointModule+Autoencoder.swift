import ChoirGraph
import Foundation

extension CheckpointModule {
    /// Opens an autoencoder alone: a folder of diffusers, or one `.safetensors` file whose sizes are read from its
    /// weights: an `AutoencoderKL` in the original layout or that of diffusers, or `taesd_decoder.safetensors`.
    ///
    /// - Parameters:
    ///   - path: The folder or file; a checkpoint in one file has an autoencoder too.
    ///   - kind: The family whose latents it decodes, which tells their scale where a file does not.
    /// - Throws: `ModelError` that names the file and the field or tensor.
    public init(autoencoder path: String, kind: CheckpointKind) throws(ModelError) {
        try self.init(autoencoder: path, kind: kind, conventions: .published)
    }

    /// Opens an autoencoder that has other sizes than the published ones, for tests with tiny networks.
    package init(
        autoencoder path: String, kind: CheckpointKind, conventions: SingleFileConventions
    ) throws(ModelError) {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ModelError(path, "no such file or folder")
        }
        if isDirectory.boolValue {
            try self.init(autoencoderFolder: path)
            return
        }
        let layout = SingleFileLayout(file: try CheckpointFiles.open(path), conventions: conventions)
        if let fields = try layout.tinyDecoder() {
            self.init(
                configuration: ConfigurationFields(path: path, fields: fields), files: [layout.file],
                naming: .originalTinyDecoder)
            return
        }
        guard let prefix = layout.autoencoderPrefix ?? (layout.has("decoder.conv_in.weight") ? "" : nil) else {
            throw ModelError(
                path,
                "expected an autoencoder, with the tensor decoder.conv_in.weight, or the decoder of a tiny one, with "
                    + "1.weight")
        }
        let (fields, naming) = try layout.autoencoder(prefix: prefix, kind: kind)
        self.init(
            configuration: ConfigurationFields(path: path, fields: fields), files: [layout.file], naming: naming,
            prefix: prefix)
    }

    /// Opens a folder of diffusers with `config.json` and the weights.
    init(autoencoderFolder directory: String) throws(ModelError) {
        let fields = try ConfigurationFields(path: "\(directory)/config.json")
        let name = try fields.choice("_class_name", of: ["AutoencoderKL", "AutoencoderTiny"], absent: "AutoencoderKL")
        self.init(
            configuration: fields,
            files: try CheckpointFiles.weights(in: directory, stem: "diffusion_pytorch_model"),
            naming: name == "AutoencoderKL" ? .diffusersAutoencoder : .asWritten)
    }
}
