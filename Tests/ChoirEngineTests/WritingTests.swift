import Choir
import ChoirEngine
import ChoirImage
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

/// A model of one channel whose picture is a ramp from black to white, left to right.
private struct Ramp: Denoiser, ModulePool {
    let traits = ModelTraits(
        name: "ramp", precision: "f32", channels: 1, pictureChannels: 1, alignment: 1, tile: 64, overlap: 8,
        scales: [.init(start: 1, refining: .init(steps: 1, guidance: 1, sampler: .euler))], scaleFactor: 2,
        summary: nil, residentBytes: 0, activationBytesPerCell: 0)
    let concurrency = 1

    func embeddings(of prompts: [String], clipSkip: Int?) async throws -> [Tensor] {
        prompts.map { _ in Tensor(shape: [1]) }
    }

    func modules(for shape: TileShape, embedding: Shape, count modules: Int) async throws -> any ModulePool { self }

    func predict(_ input: TileInput) async throws -> TilePrediction {
        let (window, width) = (input.window, input.picture.width)
        let row = (0..<window.width).map { 2 * Float(window.x + $0) / Float(width - 1) - 1 }
        let elements = (0..<window.height).flatMap { _ in row }
        return TilePrediction(
            clean: Tensor(shape: input.noisy.shape, elements: elements), publication: nil, networkSeconds: 0)
    }

    func publish(_ input: TileInput) async throws -> TilePublication { preconditionFailure("nothing is published") }
}

@Suite struct WritingTests {
    @Test(arguments: ["a.png", "a.tif"])
    func `a picture of one channel is written in grey, in 16 bits`(name: String) async throws {
        let directory = NSTemporaryDirectory() + "choir-writing-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let request = PaintRequest(prompt: "a ramp", size: PixelSize(width: 256, height: 70))
        for try await event in try ParallelDiffusionPipeline(denoiser: Ramp(), modules: 1).paint(request) {
            guard case .finished(let painting) = event else { continue }
            try painting.plan.checkOutput(directory + "/" + name, model: "ramp")
            let written = try await painting.write(to: directory + "/" + name)
            #expect(written.seams?.borders.worst.ratio ?? 9 < 1.2)
            try painting.writeLatents(to: directory + "/latents.safetensors")
        }
        let picture = try ImageReader(path: directory + "/" + name)
        #expect((picture.width, picture.height, picture.channels) == (256, 70, 1))
        #expect(picture.bitDepth == 16)
        let latents = try SafetensorsFile(path: directory + "/latents.safetensors").floats("latents")
        #expect(latents.shape == [1, 1, 70, 256])
        #expect(abs(latents[0, 0, 69, 255] - 1) < 1e-6)
    }
}
