import Choir
import ChoirModels
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

@testable import ChoirEngine

/// A tiny random checkpoint that `Scripts/fixtures/pipeline.py` made, as a folder of diffusers with links in it.
final class PipelineFixture: Sendable {
    private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .path
    private static let pipelines = tests + "/ChoirEngineTests/Fixtures/Pipeline/"
    private static let texts = tests + "/ChoirModelsTests/Fixtures/Text/"

    /// Single files, without tokenizers.
    static let checkpoints = tests + "/ChoirModelsTests/Fixtures/Checkpoint/"

    static let prompt = "a portrait of a woman in red, sharp focus!"
    static let negative = "lowres, bad anatomy"

    let kind: String
    let folder = NSTemporaryDirectory() + "choir-pipeline-\(UUID().uuidString)"

    init(_ kind: String) throws {
        self.kind = kind
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        for name in ["model_index.json", "scheduler", "unet"] { try link(name, to: Self.pipelines + "\(kind)/\(name)") }
        for name in ["vae", "text_encoder"] { try link(name, to: Self.pipelines + "sd1/\(name)") }
        try link("tokenizer", to: Self.texts + "vit-l")
        if kind == "sdxl" {
            try link("text_encoder_2", to: Self.pipelines + "sdxl/text_encoder_2")
            try link("tokenizer_2", to: Self.texts + "bigg")
        }
    }

    /// The refiner of the fixture `sdxl`.
    static func refiner() throws -> PipelineFixture {
        let fixture = try PipelineFixture("refiner")
        for name in ["vae", "text_encoder", "tokenizer"] { try fixture.remove(name) }
        try fixture.link("text_encoder_2", to: pipelines + "sdxl/text_encoder_2")
        try fixture.link("tokenizer_2", to: texts + "bigg")
        return fixture
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func link(_ name: String, to path: String) throws {
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: path)
    }

    /// Replaces a part by another folder of the fixtures.
    func replace(_ name: String, by path: String) throws {
        try remove(name)
        try link(name, to: "\(Self.tests)/\(path)")
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }

    /// Makes a part a copy that may be changed, and changes a text in one of its files.
    func edit(_ part: String, _ file: String, _ text: String, to other: String) throws {
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(part)")
        try remove(part)
        try FileManager.default.copyItem(atPath: target, toPath: "\(folder)/\(part)")
        let url = URL(fileURLWithPath: "\(folder)/\(part)/\(file)")
        // Weights are no text; every byte is a character of this encoding.
        let before = try #require(String(data: Data(contentsOf: url), encoding: .isoLatin1))
        let after = before.replacingOccurrences(of: text, with: other)
        try #require(before != after)
        try #require(after.data(using: .isoLatin1)).write(to: url)
    }

    var panorama: String { Self.pipelines + "\(kind)/panorama.safetensors" }
    var runs: String { Self.pipelines + "\(kind)/runs.safetensors" }

    func pipeline(modules: Int = 2, refiner: PipelineFixture? = nil) async throws -> ParallelDiffusionPipeline {
        var options = EngineOptions()
        options.precision = .f32
        return try await ParallelDiffusionPipeline(
            model: .checkpoint(folder), refiner: refiner?.folder, modules: modules, options: options)
    }
}

extension ParallelDiffusionPipeline {
    /// The whole picture, `[3, height, width]` in -1 ... 1.
    func picture(_ request: PaintRequest) async throws -> Tensor {
        for try await event in paint(request) {
            guard case .finished(let painting) = event else { continue }
            var picture = Tensor(shape: [3, request.size.height, request.size.width])
            var top = 0
            try await painting.strips { strip in
                picture.write(strip, x: 0, y: top)
                top += strip.height
            }
            return picture
        }
        throw CancellationError()
    }
}

/// The largest difference of pixels, found in -1 ... 1 and expected in 0 ... 1.
func pixelDifference(_ found: Tensor, _ expected: Tensor) -> Float {
    zip(found.elements, expected.elements).map { abs(($0 + 1) / 2 - $1) }.max() ?? .infinity
}
