import Choir
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import ChoirEngine

/// A folder of diffusers with nothing but a tiny UNet, and made-up prompts; it goes with its test.
private final class TinyCheckpoint {
    static let fixtures =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/ChoirModelsTests/Fixtures/UNet/"

    let kind: String
    let folder = NSTemporaryDirectory() + "choir-tiny-\(UUID().uuidString)"
    let pooledWidth: Int

    init(_ kind: String, scheduler: String? = nil) throws {
        self.kind = kind
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/unet", withDestinationPath: Self.fixtures + kind)
        if let scheduler {
            try FileManager.default.createDirectory(atPath: folder + "/scheduler", withIntermediateDirectories: false)
            try Data(scheduler.utf8).write(
                to: URL(fileURLWithPath: folder + "/scheduler/scheduler_config.json"))
        }
        pooledWidth = try Self.cases(kind).tensors["0.pooled"]?.shape.elementCount ?? 0
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func cases(_ kind: String) throws -> SafetensorsFile {
        try SafetensorsFile(path: fixtures + kind + "/cases.safetensors")
    }

    /// Every prompt becomes numbers of its own; five tokens.
    func denoiser() throws -> StableDiffusionDenoiser {
        var options = EngineOptions()
        options.precision = .f32
        let checkpoint = try Checkpoint(path: folder)
        let (width, pooled) = (checkpoint.unet.textWidth, pooledWidth)
        return try StableDiffusionDenoiser(
            checkpoint, name: kind, pixelsPerCell: checkpoint.pixelsPerCell, pooledWidth: pooled, clipSkips: nil,
            codec: nil, refiner: nil, options: options
        ) { prompts, _ in
            prompts.map { prompt in
                let seed = UInt64(prompt.utf8.reduce(0) { $0 * 31 + UInt64($1) } % 1_000_003)
                let row = CounterNoise(seed: seed).normal(
                    region: Region(x: 0, y: 0, width: 5 * width + pooled, height: 1), channels: 1, draw: 0
                ).elements
                return PromptEmbedding(
                    hidden: Tensor(shape: [1, 5, width], elements: Array(row[..<(5 * width)])),
                    pooled: pooled == 0 ? nil : Tensor(shape: [1, pooled], elements: Array(row[(5 * width)...])))
            }
        }
    }
}

private func largest(_ tensor: Tensor) -> Float { tensor.elements.map(abs).max() ?? 0 }

private func difference(_ left: Tensor, _ right: Tensor) -> Float {
    guard left.shape == right.shape else { return .infinity }
    return zip(left.elements, right.elements).map { abs($0 - $1) }.max() ?? 0
}

@Suite struct StableDiffusionTests {
    @Test(arguments: ["sd1", "sd2", "lcm"])
    func `a module gives the clean latent that diffusers' prediction stands for`(kind: String) async throws {
        let denoiser = try TinyCheckpoint(kind).denoiser()
        let cases = try TinyCheckpoint.cases(kind)
        let value = { (name: String) in try cases.floats("0." + name) }
        let sample = try value("sample")
        let noisy = sample.reshaped(to: Shape(Array(sample.shape.dimensions.dropFirst())))
        let text = try value("text")
        let shape = TileShape(height: noisy.height, width: noisy.width, contextTokens: 0, cellsPerToken: 0)
        let prompt = PromptEmbedding(hidden: text, pooled: nil)
        let embedding = try #require(await denoiser.conditioning(of: [prompt]).first)
        let modules = try await denoiser.modules(for: shape, embedding: embedding.shape, count: 1)
        let level = NoiseLevel.variancePreserving(cumulativeAlpha: 0.3, time: Double(try value("step").elements[0]))
        let scale = cases.tensors["0.guidance"] == nil ? 1 : Double(try value("guidance").elements[0])
        let found = try await modules.predict(
            TileInput(
                noisy: noisy, coarse: nil, level: level, scale: 0, embedding: embedding, guidanceScale: scale,
                context: nil))
        var expected = try value("prediction").reshaped(to: noisy.shape)
        Parameterization.epsilon.convertToClean(&expected, state: noisy, at: level)
        #expect(difference(found.clean, expected) <= 2e-4 * largest(expected))
        #expect(found.publication == nil)
    }

    @Test func `a tile is told the sizes of its picture, where it lies and what it shows`() throws {
        let base = try unet("sdxl")
        let input = { (window: Region, picture: Region) in
            TileInput(
                noisy: Tensor(shape: [4, window.height, window.width]), coarse: nil, window: window, picture: picture,
                level: .flow(1), scale: 0, embedding: Tensor(shape: [0]), context: nil)
        }
        let picture = Region(x: 0, y: 0, width: 135, height: 128)
        let side = Double(base.pixelsPerCell)
        let whole = input(Region(x: 0, y: 0, width: 136, height: 128), picture)
        #expect(base.timeIDs(of: whole) == [128, 135, 0, 0, 128, 135].map { $0 * side })
        let tile = input(Region(x: 72, y: 32, width: 64, height: 64), picture)
        #expect(base.timeIDs(of: tile) == [128, 135, 32, 72, 64, 63].map { $0 * side })
        let refiner = try unet("refiner").timeIDs(of: tile)
        #expect(refiner == [128, 135, 32, 72].map { $0 * side } + [6])
    }

    private func unet(_ kind: String) throws -> StableDiffusionUNet {
        let tiny = try TinyCheckpoint(kind)
        let checkpoint = try Checkpoint(path: tiny.folder)
        return StableDiffusionUNet(
            configuration: checkpoint.unet, weights: try checkpoint.module(.unet).weights(), parameterization: .epsilon,
            pixelsPerCell: checkpoint.pixelsPerCell, pooledWidth: tiny.pooledWidth)
    }

    @Test(arguments: [(64, 48, 16), (40, 64, 24)])
    func `every cell outside of a tile is told once`(length: Int, breadth: Int, window: Int) throws {
        let plan = TilePlan(
            columns: TileAxis(length: length, window: window, overlap: 4, alignment: 8),
            rows: TileAxis(length: breadth, window: window, overlap: 4, alignment: 8))
        let unet = try unet("sd1")
        for tile in plan.tiles {
            let input = TileInput(
                noisy: Tensor(shape: [4, window, window]), coarse: nil, window: tile.window, level: .flow(1), scale: 0,
                embedding: Tensor(shape: [0]), context: nil, contextTiles: plan)
            let biases = unet.contextBias(of: input, cellsPerToken: 8)
            #expect(biases.count == plan.count * (window / 8) * (window / 8))
            let told = biases.reduce(0.0) { $0 + ($1 > -100 ? Double(exp($1)) : 0) } * 64
            #expect(abs(told - Double(length * breadth - window * window)) < 1e-3)
        }
    }

    static let euler = """
        {"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
        "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "steps_offset": 1}
        """

    private func canvas(
        _ request: PaintRequest, by denoiser: StableDiffusionDenoiser, modules: Int = 2
    ) async throws -> Tensor {
        let pipeline = try ParallelDiffusionPipeline(denoiser: denoiser, modules: modules)
        for try await event in pipeline.paint(request) {
            if case .finished(let painting) = event { return painting.canvas }
        }
        throw CancellationError()
    }

    private func request(of denoiser: StableDiffusionDenoiser, tiles: Int) -> PaintRequest {
        let cell = denoiser.traits.pixelsPerCell
        var request = PaintRequest(
            prompt: "a fox", size: PixelSize(width: 16 * tiles * cell, height: 16 * cell))
        request.tile = max(64, 16 * cell)
        request.steps = 3
        request.bridges = [.consensus, .attention]
        return request
    }

    @Test(arguments: ["sd1", "sdxl"])
    func `tiles paint the same bits in any number of modules, and hear each other`(kind: String) async throws {
        let denoiser = try TinyCheckpoint(kind, scheduler: Self.euler).denoiser()
        var request = request(of: denoiser, tiles: 4)
        let alone = try await canvas(request, by: denoiser, modules: 1)
        let together = try await canvas(request, by: denoiser, modules: 4)
        let finite = alone.elements.allSatisfy(\.isFinite)
        let same = alone == together
        #expect(finite && same)
        request.bridges = [.consensus]
        let deaf = try await canvas(request, by: denoiser)
        #expect(difference(alone, deaf) > 1e-4 * largest(deaf))
        request.negativePrompt = "a dog"
        let other = try await canvas(request, by: denoiser)
        #expect(difference(other, deaf) > 1e-4 * largest(deaf))
    }

    @Test func `a canvas of one tile is painted alike with and without the bridge`() async throws {
        let denoiser = try TinyCheckpoint("sd2", scheduler: Self.euler).denoiser()
        var request = request(of: denoiser, tiles: 1)
        let bridged = try await canvas(request, by: denoiser)
        request.bridges = []
        let same = try await canvas(request, by: denoiser) == bridged
        #expect(same)
    }

    @Test func `traits follow from the checkpoint`() throws {
        let traits = try TinyCheckpoint("lcm", scheduler: #"{"_class_name": "LCMScheduler"}"#).denoiser().traits
        #expect(traits.readsGuidance && !traits.guidesBelowOne)
        #expect(traits.scales.count == 1 && traits.scales[0].refining.steps == 4)
        #expect(traits.scales[0].refining.sampler == .lcm && traits.scales[0].composing == traits.scales[0].refining)
        let levels = try TinyCheckpoint.levels("lcm")
        #expect(traits.channels == 4 && traits.alignment == 1 << (levels - 1))
    }
}

extension TinyCheckpoint {
    static func levels(_ kind: String) throws -> Int {
        try UNetConfiguration(ConfigurationFields(path: fixtures + kind + "/config.json")).channels.count
    }
}
