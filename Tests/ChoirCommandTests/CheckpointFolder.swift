import Foundation

/// Checkpoints of tiny random networks, put together from the parts that the tests of other targets use.
enum CheckpointFolder {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    private static let pipelines = tests + "/ChoirEngineTests/Fixtures/Pipeline"
    private static let texts = tests + "/ChoirModelsTests/Fixtures/Text"

    /// A scratch directory with the checkpoint of Stable Diffusion 1.x as `model`.
    static func copy() throws -> Scratch {
        let scratch = Scratch()
        try copy(pipelines + "/sd1", to: "model", in: scratch)
        try copy(texts + "/vit-l", to: "model/tokenizer", in: scratch)
        return scratch
    }

    /// A scratch directory with SDXL base as `base` and its refiner as `expert`.
    static func pair() throws -> Scratch {
        let scratch = Scratch()
        try copy(pipelines + "/sdxl", to: "base", in: scratch)
        try copy(pipelines + "/refiner", to: "expert", in: scratch)
        for part in ["vae", "text_encoder"] { try copy(pipelines + "/sd1/" + part, to: "base/" + part, in: scratch) }
        try copy(texts + "/vit-l", to: "base/tokenizer", in: scratch)
        for folder in ["base", "expert"] { try copy(texts + "/bigg", to: folder + "/tokenizer_2", in: scratch) }
        try copy(pipelines + "/sdxl/text_encoder_2", to: "expert/text_encoder_2", in: scratch)
        return scratch
    }

    /// Adds a tiny autoencoder, as the folder `taesd`.
    static func addTinyAutoencoder(to scratch: Scratch) throws {
        let tiny = tests + "/ChoirModelsTests/Fixtures/Autoencoder/tiny"
        try FileManager.default.createDirectory(atPath: scratch.file("taesd"), withIntermediateDirectories: false)
        let configuration = try String(contentsOfFile: tiny + "/config.json", encoding: .utf8)
        try scratch.write(
            configuration.replacing("{", with: #"{ "_class_name": "AutoencoderTiny","#, maxReplacements: 1),
            to: "taesd/config.json")
        try copy(tiny + "/model.safetensors", to: "taesd/diffusion_pytorch_model.safetensors", in: scratch)
    }

    private static func copy(_ path: String, to name: String, in scratch: Scratch) throws {
        try FileManager.default.copyItem(atPath: path, toPath: scratch.file(name))
    }
}
