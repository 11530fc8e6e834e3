import ChoirGraph
public import ChoirTensor
import Foundation

extension Checkpoint {
    /// Whether a file has a UNet in the original layout, so that opening it as a checkpoint makes sense.
    public static func recognizes(_ file: SafetensorsFile) -> Bool {
        file.tensors[SingleFileLayout.unetPrefix + "input_blocks.0.0.weight"] != nil
    }

    /// Opens one file in the original layout.
    init(singleFile path: String, conventions: SingleFileConventions) throws(ModelError) {
        let layout = SingleFileLayout(file: try CheckpointFiles.open(path), conventions: conventions)
        let kind = try layout.kind()
        let (prediction, assumption) = layout.prediction(kind)
        var modules: [CheckpointPart: CheckpointModule] = [:]
        func add(_ part: CheckpointPart, _ fields: [String: JSONValue], _ naming: WeightNaming, prefix: String) {
            modules[part] = CheckpointModule(
                configuration: ConfigurationFields(path: path, fields: fields), files: [layout.file], naming: naming,
                prefix: prefix)
        }
        var unetFields = try layout.unetFields()
        unetFields["sample_size"] = .integer(kind.nativeSide(predictsVelocity: prediction == .velocity) / 8)
        let unet = try UNetConfiguration(ConfigurationFields(path: path, fields: unetFields))
        add(.unet, unetFields, .originalUNet(unet), prefix: SingleFileLayout.unetPrefix)
        if let prefix = layout.autoencoderPrefix {
            let (fields, naming) = try layout.autoencoder(prefix: prefix, kind: kind)
            add(.autoencoder, fields, naming, prefix: prefix)
        }
        for part in kind.textEncoders {
            guard let place = layout.textEncoder(part, kind) else { continue }
            let fields = try layout.textFields(place, kind: kind)
            let naming: WeightNaming =
                place.isOpenCLIP ? .originalOpenCLIP(prefix: place.prefix) : .originalCLIP(prefix: place.prefix)
            add(part, fields, naming, prefix: place.prefix)
        }
        // A single file has no tokenizer; people may put one beside it, as a folder of diffusers has it.
        var tokenizers: [CheckpointPart: String] = [:]
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        for part in kind.textEncoders {
            for name in [part.tokenizerFolder, "tokenizer"].compactMap({ $0 }) where tokenizers[part] == nil {
                let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? []
                let isTokenizer = files.contains("tokenizer.json") || files.contains("vocab.json")
                if isTokenizer { tokenizers[part] = "\(folder)/\(name)" }
            }
            tokenizers[part] = tokenizers[part] ?? conventions.vocabulary
        }
        // Where there is nothing but noise, to predict the noise would tell nothing of the picture.
        let hasZeroTerminalSNR = prediction == .velocity && layout.has("ztsnr")
        self.init(
            path: path, kind: kind, isSingleFile: true, modules: modules, unet: unet, prediction: prediction,
            predictionAssumption: assumption, hasZeroTerminalSNR: hasZeroTerminalSNR, schedulerPath: nil,
            tokenizerDirectories: tokenizers)
    }
}
