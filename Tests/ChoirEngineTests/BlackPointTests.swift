import Choir
import ChoirEngine
import ChoirModels
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

/// What the configuration of a Cosmos network says is black.
@Suite struct BlackPointTests {
    /// A folder whose files are those of the embedded model, but for what it says is black; goes with its test.
    private final class Model {
        let path = NSTemporaryDirectory() + "choir-black-\(UUID().uuidString)"

        init(black: Double?) throws {
            let embedded = CosmosResources.directory
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            for name in ["forms.safetensors", "model.safetensors", "words.safetensors", "words.txt"] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(path)/\(name)", withDestinationPath: "\(embedded)/\(name)")
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: embedded + "/config.json"))
            var configuration = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            var painting = try #require(configuration["painting"] as? [String: Any])
            painting["black"] = black
            configuration["painting"] = painting
            try JSONSerialization.data(withJSONObject: configuration)
                .write(to: URL(fileURLWithPath: path + "/config.json"))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func pipeline() async throws -> ParallelDiffusionPipeline {
            try await ParallelDiffusionPipeline(model: .directory(path), modules: 1)
        }
    }

    /// What a picture with black at -0.5 is, of one whose black is -1.
    private func darkened(_ elements: [Float]) -> [Float] { elements.map { ($0 + 0.5) / 1.5 * 2 - 1 } }

    private func expectEqual(_ found: [Float], _ expected: [Float]) {
        #expect(found.count == expected.count)
        #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func `what is black is taken from the picture and not from the canvas`() async throws {
        var request = PaintRequest(prompt: "red nebula", size: PixelSize(width: 96, height: 64))
        request.steps = 1
        var pictures: [[Float]] = []
        var canvases: [[Float]] = []
        for black in [nil, -0.5] {
            for try await event in try await Model(black: black).pipeline().paint(request) {
                guard case .finished(let painting) = event else { continue }
                var picture = Tensor(shape: [3, 64, 96])
                var top = 0
                try await painting.strips { strip in
                    picture.write(strip, x: 0, y: top)
                    top += strip.height
                }
                pictures.append(picture.elements)
                canvases.append(painting.canvas.elements)
            }
        }
        #expect(canvases[0] == canvases[1])
        expectEqual(pictures[1], darkened(pictures[0]))
    }

    @Test func `the pictures of a set have the same black`() async throws {
        let image = TileImage(
            name: "a", prompt: "red nebula", negativePrompt: "", seed: 3, sides: TileImage.sides(joining: .xy))
        var request = TileSetRequest(images: [image], size: PixelSize(width: 128, height: 128))
        request.steps = 1
        var pictures: [[Float]] = []
        for black in [nil, -0.5] {
            pictures.append(try await Model(black: black).pipeline().paint(request)[0].elements)
        }
        expectEqual(pictures[1], darkened(pictures[0]))
    }
}
