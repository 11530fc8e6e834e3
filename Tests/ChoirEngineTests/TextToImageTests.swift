import Choir
import ChoirModels
import ChoirSampling
import ChoirTensor
import Testing

@testable import ChoirEngine

/// Whole runs from a folder of diffusers.
@Suite struct TextToImageTests {
    private func request(width: Int, height: Int) -> PaintRequest {
        var request = PaintRequest(prompt: PipelineFixture.prompt, size: PixelSize(width: width, height: height))
        request.negativePrompt = PipelineFixture.negative
        request.steps = 5
        request.guidance = 7.5
        return request
    }

    @Test(arguments: [
        ("sd1", "euler"), ("sd1", "ddim"), ("sd1", "skip"), ("sdxl", "euler"), ("sdxl", "zeros"), ("sdxl", "skip"),
    ])
    func `a picture from given noise is that of diffusers`(kind: String, run: String) async throws {
        let fixture = try PipelineFixture(kind)
        var request = request(width: 32, height: 24)
        request.noise = fixture.runs
        request.sampler = run == "ddim" ? .ddim : .euler
        if ["ddim", "zeros"].contains(run) { request.negativePrompt = "" }
        // One layer more than the model leaves out by itself.
        if run == "skip" { request.clipSkip = kind == "sdxl" ? 3 : 2 }
        let picture = try await fixture.pipeline().picture(request)
        let expected = try SafetensorsFile(path: fixture.runs).floats(run).reshaped(to: picture.shape)
        #expect(pixelDifference(picture, expected) <= 1 / 255)
    }

    @Test(arguments: [("sd1", 1), ("sdxl", 2)])
    func `the model's own layer may be named, and others only where there are some`(
        kind: String, own: Int
    ) async throws {
        let fixture = try PipelineFixture(kind)
        var request = request(width: 32, height: 24)
        request.steps = 1
        let pipeline = try await fixture.pipeline()
        let plain = try await pipeline.picture(request)
        request.clipSkip = own
        let named = try await pipeline.picture(request)
        #expect(plain == named)
        for layer in [own - 1, 4] {
            request.clipSkip = layer
            #expect(throws: RequestError.self) { _ = try pipeline.plan(request) }
        }
    }

    @Test(arguments: ["sd1", "sdxl"])
    func `one module paints what four paint, also from a long prompt with weights`(kind: String) async throws {
        let fixture = try PipelineFixture(kind)
        var request = request(width: 96, height: 64)
        let long = String(repeating: "stars and galaxies, ", count: 40)
        request.prompt = "(a castle:1.4) in the mountains, [fog], " + long
        request.steps = 2
        let alone = try await fixture.pipeline(modules: 1).picture(request)
        let together = try await fixture.pipeline(modules: 4).picture(request)
        let same = alone == together
        let finite = alone.elements.allSatisfy(\.isFinite)
        #expect(same && finite)
        request.prompt = "a cat"
        let other = try await fixture.pipeline().picture(request)
        let positive = Tensor(shape: alone.shape, elements: alone.elements.map { ($0 + 1) / 2 })
        #expect(pixelDifference(other, positive) > 1 / 255)
    }

    /// Opening must say what is wrong, before anything is compiled.
    private func expectRefusal(_ fixture: PipelineFixture, saying parts: String...) async {
        let error = await #expect(throws: ModelError.self) { _ = try await fixture.pipeline() }
        for part in parts { #expect(error?.description.contains(part) == true, "\(error?.description ?? "") \(part)") }
    }

    @Test func `parts that are missing are named`() async throws {
        for name in ["vae", "text_encoder", "tokenizer"] {
            let fixture = try PipelineFixture("sd1")
            try fixture.remove(name)
            await expectRefusal(fixture, saying: fixture.folder, name)
        }
        let fixture = try PipelineFixture("sdxl")
        try fixture.remove("tokenizer_2")
        await expectRefusal(fixture, saying: fixture.folder, "tokenizer_2")
    }

    @Test func `parts that do not fit together are named`() async throws {
        let tokenizer = try PipelineFixture("sd1")
        try tokenizer.edit("text_encoder", "config.json", "\"vocab_size\": 664", to: "\"vocab_size\": 600")
        await expectRefusal(tokenizer, saying: "tokenizer", "does not match", "text_encoder/config.json", "600")
        let text = try PipelineFixture("sd1")
        try text.replace("unet", by: "ChoirModelsTests/Fixtures/UNet/sd1")
        await expectRefusal(text, saying: "unet/config.json", "cross_attention_dim", "found 12, expected 8")
        let autoencoder = try PipelineFixture("sd1")
        try autoencoder.edit("vae", "config.json", "\"latent_channels\": 4", to: "\"latent_channels\": 8")
        await expectRefusal(autoencoder, saying: "vae/config.json", "latent_channels", "found 8, expected 4")
        let pooled = try PipelineFixture("sdxl")
        try pooled.edit("text_encoder_2", "config.json", "\"projection_dim\": 8", to: "\"projection_dim\": 7")
        await expectRefusal(pooled, saying: "text_encoder_2/config.json", "projection_dim", "found 7")
    }

    @Test func `a refiner alone, and a file without tokenizer, are refused`() throws {
        let tiny = SingleFileConventions(groups: 2, heads: 2, headWidth: 4, timeIDWidth: 4)
        for (kind, part) in [("refiner", "refiner"), ("sd1", "tokenizer"), ("sdxl", "tokenizer")] {
            let path = PipelineFixture.checkpoints + "\(kind).safetensors"
            let checkpoint = try Checkpoint(path: path, conventions: tiny)
            let error = #expect(throws: ModelError.self) {
                _ = try StableDiffusionDenoiser(checkpoint, name: kind, options: EngineOptions())
            }
            #expect(error?.path == path && error?.message.contains(part) == true, "\(error?.description ?? "")")
        }
    }

    @Test(arguments: [
        ("text_encoder", "model.safetensors", "layers.1.mlp.fc1.weight"),
        ("vae", "diffusion_pytorch_model.safetensors", "decoder.mid_block.resnets.1.conv1.weight"),
        ("unet", "diffusion_pytorch_model.safetensors", "mid_block.resnets.0.conv1.weight"),
    ])
    func `a weight that is missing is named with its part`(part: String, file: String, weight: String) async throws {
        let fixture = try PipelineFixture("sd1")
        try fixture.edit(part, file, weight, to: weight.replacing("weight", with: "wright"))
        await expectRefusal(fixture, saying: fixture.folder, part, weight)
    }

    @Test func `a path is told by what lies there`() throws {
        let fixture = try PipelineFixture("sd1")
        #expect(ModelReference(path: fixture.folder) == .checkpoint(fixture.folder))
        #expect(ModelReference(path: fixture.folder + "/vae") == .directory(fixture.folder + "/vae"))
        #expect(ModelReference(path: fixture.runs) == .checkpoint(fixture.runs))
        #expect(ModelReference(path: "/nowhere/a.safetensors") == .checkpoint("/nowhere/a.safetensors"))
    }
}
