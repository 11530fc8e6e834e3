import ChoirGraph
import ChoirTensor
import Foundation

/// A checkpoint of Stable Diffusion or SDXL: a folder of diffusers, or one file in the original layout.
///
/// What it is follows from configurations and the shapes of tensors, never from names of files. Opening reads and
/// checks all configurations and the headers of all files, and hardly a weight. ``check()`` compares every weight of the
/// UNet with the configuration. So a checkpoint that is damaged is refused before anything is compiled.
public struct Checkpoint: Sendable {
    /// The folder or file, as given.
    public let path: String

    /// The family.
    public let kind: CheckpointKind

    /// Whether it is one file in the original layout, whose configurations are inferred.
    public let isSingleFile: Bool

    /// The networks that are there.
    public private(set) var modules: [CheckpointPart: CheckpointModule]

    /// The folder or file of the autoencoder that is in the place of its own; nil for its own.
    public private(set) var autoencoderPath: String?

    /// The sizes of the UNet.
    public let unet: UNetConfiguration

    /// What the UNet predicts.
    public let prediction: CheckpointPrediction

    /// Why ``prediction`` is taken to be so, where the checkpoint does not say; one sentence.
    public let predictionAssumption: String?

    /// Whether a single file says, by an empty tensor `ztsnr`, that its last training step has no signal left (Lin et
    /// al., arXiv:2305.08891, section 3.1); of a folder its scheduler says it.
    public let hasZeroTerminalSNR: Bool

    /// `scheduler_config.json`; nil in a single file and in a folder without.
    public let schedulerPath: String?

    /// The folders with the tokenizer of each text encoder.
    public let tokenizerDirectories: [CheckpointPart: String]

    /// Opens a checkpoint and checks its configurations and headers.
    ///
    /// - Throws: `ModelError` that names the file and the field or tensor.
    public init(path: String) throws(ModelError) {
        try self.init(path: path, conventions: .published)
    }

    /// Opens a checkpoint whose family has other sizes than the published ones, for tests with tiny networks.
    package init(path: String, conventions: SingleFileConventions) throws(ModelError) {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ModelError(path, "no such file or folder")
        }
        if isDirectory.boolValue {
            try self.init(folder: path)
        } else {
            try self.init(singleFile: path, conventions: conventions)
        }
    }

    init(
        path: String, kind: CheckpointKind, isSingleFile: Bool, modules: [CheckpointPart: CheckpointModule],
        unet: UNetConfiguration, prediction: CheckpointPrediction, predictionAssumption: String?,
        hasZeroTerminalSNR: Bool, schedulerPath: String?, tokenizerDirectories: [CheckpointPart: String]
    ) {
        self.path = path
        self.kind = kind
        self.isSingleFile = isSingleFile
        self.modules = modules
        self.unet = unet
        self.prediction = prediction
        self.predictionAssumption = predictionAssumption
        self.hasZeroTerminalSNR = hasZeroTerminalSNR
        self.schedulerPath = schedulerPath
        self.tokenizerDirectories = tokenizerDirectories
    }

    /// A network that painting needs.
    ///
    /// - Throws: `ModelError` that says which one is missing.
    public func module(_ part: CheckpointPart) throws(ModelError) -> CheckpointModule {
        guard let module = modules[part] else {
            let advice = part == .autoencoder ? "; name one by --vae" : ""
            throw ModelError(path, "the checkpoint has no \(part.rawValue), which \(kind) needs\(advice)")
        }
        return module
    }

    /// Puts another autoencoder in the place of its own, or of one that is missing.
    ///
    /// - Parameter path: A folder or file; see ``CheckpointModule/init(autoencoder:kind:)``.
    /// - Throws: `ModelError` that names the file and the field or tensor.
    public mutating func replaceAutoencoder(by path: String) throws(ModelError) {
        try replaceAutoencoder(by: path, conventions: .published)
    }

    package mutating func replaceAutoencoder(
        by path: String, conventions: SingleFileConventions
    ) throws(ModelError) {
        var other = self
        other.modules[.autoencoder] = try CheckpointModule(autoencoder: path, kind: kind, conventions: conventions)
        other.autoencoderPath = path
        guard modules[.autoencoder] == nil || other.pixelsPerCell == pixelsPerCell else {
            throw ModelError(
                path,
                "the autoencoder has \(other.pixelsPerCell) pixels a cell, expected \(pixelsPerCell), as the "
                    + "checkpoint's own")
        }
        self = other
    }

    /// The tokenizer of a text encoder.
    ///
    /// A single file has none: one beside it, or else CLIP's own, serves all its encoders, for the vocabulary of all
    /// families is the same.
    ///
    /// - Throws: `ModelError` that names the folder or file and what is missing or wrong with it.
    public func tokenizer(_ part: CheckpointPart) throws(ModelError) -> CLIPTokenizer {
        guard let directory = tokenizerDirectories[part] else {
            throw ModelError(
                path,
                "there is no tokenizer for \(part.rawValue), expected the folder \(tokenizerFolder(part)) with "
                    + "tokenizer.json, or vocab.json and merges.txt, "
                    + (isSingleFile ? "beside the file, or CLIP's vocabulary, which make setup installs" : "in it"))
        }
        guard isSingleFile else { return try CLIPTokenizer(directory: directory) }
        return try CLIPTokenizer(directory: directory, for: CLIPTextConfiguration(module(part).configuration))
    }

    /// The folder that the tokenizer of a text encoder is missed in.
    func tokenizerFolder(_ part: CheckpointPart) -> String {
        isSingleFile ? "tokenizer" : part.tokenizerFolder ?? "tokenizer"
    }

    /// Pixels per side of a cell of the latent.
    public var pixelsPerCell: Int {
        guard let fields = modules[.autoencoder]?.configuration else { return 8 }
        let names = ["block_out_channels", "decoder_block_out_channels"]
        let levels = names.compactMap { name -> Int? in
            if case .list(let values)? = fields[name] { return values.count }
            return nil
        }.first
        return 1 << (min(max(levels ?? 4, 1), 8) - 1)
    }

    /// Side of the pictures that it was trained on, in pixels.
    public var nativeSide: Int {
        unet.sampleSize.map { $0 * pixelsPerCell } ?? kind.nativeSide(predictsVelocity: prediction == .velocity)
    }

    /// Compares every weight of the UNet with the configuration; compiles nothing and reads no weight.
    ///
    /// - Throws: `ModelError` that names the file and the weight.
    public func check() throws(ModelError) {
        let side = 1 << (unet.channels.count - 1)
        let module = try module(.unet)
        do {
            let weights = try module.weights()
            _ = try UNetGraph.build(unet, weights: weights, height: side, width: side, textTokens: 1)
            _ = try UNetGraph.buildText(unet, weights: weights, textTokens: 1)
        } catch {
            throw ModelError(path, error.description)
        }
    }
}
