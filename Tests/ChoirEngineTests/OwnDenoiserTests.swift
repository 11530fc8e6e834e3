import ChoirEngine
import ChoirImage
import ChoirModels
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import Choir

/// Denoisers whose answers are known, painted by the whole pipeline.
@Suite struct OwnDenoiserTests {
    /// Two by two tiles and more.
    static func request(_ side: Int = 150) -> PaintRequest {
        var request = PaintRequest(prompt: "", size: PixelSize(width: side, height: side - 20))
        request.seed = 11
        request.bridges = [.consensus]
        return request
    }

    /// The deviations of Karras et al. 2022, equation 5.
    private static func karras(_ steps: Int, of count: Int) -> [Double] {
        let (first, last) = (pow(8000, 1.0 / 7), pow(2, 1.0 / 7))
        return (0..<steps).map { pow(first + Double($0) / Double(count - 1) * (last - first), 7) }
    }

    /// D(x, σ) = (s² x + σ² m) / (s² + σ²) of the fixture `gaussian`.
    private static func ideal(_ x: Double, _ sigma: Double, _ mean: Double) -> Double {
        let (variance, noise) = (700.0 * 700, sigma * sigma)
        return (variance * x + noise * mean) / (variance + noise)
    }

    /// Heun's method as Karras et al. 2022 write it, algorithm 1 without fresh noise, of one cell.
    private static func heun(_ noise: Double, mean: Double) -> Double {
        let sigmas = karras(6, of: 6) + [0]
        var x = sigmas[0] * noise
        for (sigma, next) in zip(sigmas, sigmas.dropFirst()) {
            let slope = (x - ideal(x, sigma, mean)) / sigma
            let euler = x + (next - sigma) * slope
            guard next > 0 else { return euler }
            x += (next - sigma) * (slope + (euler - ideal(euler, next, mean)) / next) / 2
        }
        return x
    }

    /// Song et al. 2023, algorithm 1, of one cell; the first noise is that of the start.
    private static func consistency(_ noises: [Double], mean: Double) -> Double {
        let sigmas = karras(noises.count, of: noises.count + 1)
        var x = ideal(sigmas[0] * noises[0], sigmas[0], mean)
        for (sigma, noise) in zip(sigmas, noises).dropFirst() {
            x = ideal(x + (sigma * sigma - 4).squareRoot() * noise, sigma, mean)
        }
        return x
    }

    private static func noise(_ canvas: Tensor, draw: Int) -> Tensor {
        CounterNoise(seed: 11).normal(
            region: Region(x: 0, y: 0, width: canvas.width, height: canvas.height), channels: canvas.shape[0],
            draw: draw)
    }

    private static func difference(_ left: Tensor, _ right: Tensor) -> Float {
        guard left.shape == right.shape else { return .infinity }
        return zip(left.elements, right.elements).map { abs($0 - $1) }.max() ?? 0
    }

    @Test(arguments: [nil, 3000.0], [BridgeKind.consensus, .halo, .shift, .none])
    func `an ONNX file paints what its equation says, in tiles of any rule`(
        mean: Double?, bridge: BridgeKind
    ) async throws {
        var request = Self.request()
        request.bridges = [bridge]
        request.conditions = mean.map { ["mean": [$0]] }
        let painting = try await OwnDenoiserFixture("gaussian").painting(request)
        #expect(painting.plan.tiles >= 4)
        let canvas = painting.canvas
        let expected = Self.noise(canvas, draw: 0).elements.map { Float(Self.heun(Double($0), mean: mean ?? 1200)) }
        // Values are of the order of thousands.
        #expect(Self.difference(canvas, Tensor(shape: canvas.shape, elements: expected)) < 0.02)
    }

    @Test func `multistep consistency sampling paints what its algorithm says`() async throws {
        var request = Self.request()
        request.sampler = .consistency
        request.steps = 3
        let canvas = try await OwnDenoiserFixture("gaussian").painting(request).canvas
        let draws = [NoiseDraw.start(rung: 0)] + [0, 1].map { NoiseDraw.step(evaluation: $0, rung: 0) }
        let noises = draws.map { Self.noise(canvas, draw: $0).elements.map { Double($0) } }
        let expected = noises[0].indices.map { cell in
            Float(Self.consistency(noises.map { $0[cell] }, mean: 1200))
        }
        #expect(Self.difference(canvas, Tensor(shape: canvas.shape, elements: expected)) < 0.02)
    }

    @Test func `guidance leads away from the unconditional values`() async throws {
        var request = Self.request()
        request.guidance = 3
        request.conditions = ["mean": [1000]]
        let painting = try await OwnDenoiserFixture("gaussian").painting(request)
        // D is affine in the mean: led away from 0 by 3, it is that of 3000.
        request.guidance = 1
        request.conditions = ["mean": [3000]]
        let plain = try await OwnDenoiserFixture("gaussian").painting(request)
        #expect(painting.plan.evaluations == 2 * plain.plan.evaluations)
        #expect(Self.difference(painting.canvas, plain.canvas) < 0.02)
    }

    @Test func `an IR that predicts noise at training steps, for one size of tiles, paints what its equation says`()
        async throws
    {
        let painting = try await OwnDenoiserFixture("timestep").painting(Self.request())
        #expect(painting.plan.tiles >= 6)
        let canvas = painting.canvas
        var product = 1.0
        let alphas = (0..<1000).map { step in
            product *= 1 - (0.0001 + (0.02 - 0.0001) * Double(step) / 999)
            return product
        }
        // Song et al. 2021, equation 12, without fresh noise.
        let steps = (0..<8).map { 1000 - $0 * 125 - 1 }
        let means = [0.5, -0.25, 0.1]
        let cells = canvas.width * canvas.height
        let expected = Self.noise(canvas, draw: 0).elements.enumerated().map { index, noise in
            let mean = means[index / cells]
            var x = (1 - alphas[steps[0]]).squareRoot() * Double(noise)
            for (place, step) in steps.enumerated() {
                let alpha = alphas[step]
                let gain = 0.04 * alpha.squareRoot() / (0.04 * alpha + 1 - alpha)
                let clean = mean + gain * (x - alpha.squareRoot() * mean)
                let epsilon = (x - alpha.squareRoot() * clean) / (1 - alpha).squareRoot()
                let next = place + 1 < steps.count ? alphas[steps[place + 1]] : 1
                x = next.squareRoot() * clean + (1 - next).squareRoot() * epsilon
            }
            return Float(x)
        }
        // At the first step the clean picture is the state less nearly all of it, divided by an α of 0.006: the engine
        // predicts the noise in f32, whose rounding grows by that.
        #expect(Self.difference(canvas, Tensor(shape: canvas.shape, elements: expected)) < 1e-3)
    }

    @Test(arguments: [0, 2])
    func `a network in f16 gives the clean tile that its own answer stands for, of the class that it is told`(
        label: Int
    ) async throws {
        let fixture = try OwnDenoiserFixture("network")
        let pipeline = try await fixture.pipeline()
        let denoiser = pipeline.denoiser.conditioned(by: ["class": [Double(label)]])
        let shape = TileShape(height: 16, width: 24, contextTokens: 0, cellsPerToken: 0)
        let modules = try await denoiser.modules(for: shape, embedding: [0], count: 1)
        let file = try SafetensorsFile(path: OwnDenoiserFixture.fixtures + "network/expected.safetensors")
        let (noisy, flow) = (try file.floats("x").reshaped(to: [3, 16, 24]), try file.floats("flow"))
        let input = TileInput(
            noisy: noisy, coarse: nil, level: .flow(0.5), scale: 0, embedding: Tensor(shape: [0]), context: nil)
        var expected = flow.reshaped(to: noisy.shape)
        Parameterization.flow.convertToClean(&expected, state: noisy, at: .flow(0.5))
        let found = try await modules.predict(input).clean
        let largest = expected.elements.map(abs).max() ?? 0
        // The answer was recorded for class 2, and is an f16.
        #expect((Self.difference(found, expected) < 2e-3 * largest) == (label == 2))
        var unconditional = input
        unconditional.isNegative = true
        let zero = pipeline.denoiser.conditioned(by: ["class": [0]])
        let others = try await zero.modules(for: shape, embedding: [0], count: 1)
        let same = try await modules.predict(unconditional).clean == others.predict(input).clean
        // The file is read at each compilation, so its folder must be there until now.
        #expect(same && FileManager.default.fileExists(atPath: fixture.folder))
    }

    @Test(arguments: ["gaussian", "timestep", "network"])
    func `one module and four paint the same bits, with stages and views`(kind: String) async throws {
        var request = Self.request(170)
        request.bridges = [.consensus, .coarse, .dilated]
        request.steps = 4
        request.sampler = .eulerAncestral
        if kind == "network" { request.conditions = ["class": [1]] }
        let fixture = try OwnDenoiserFixture(kind)
        let alone = try await fixture.painting(request, modules: 1)
        let together = try await fixture.painting(request, modules: 4)
        let same = alone.canvas == together.canvas
        #expect(alone.plan.stages.count > 1 && same)
    }

    @Test(arguments: [3, 11], [SamplerKind.consistency, .heun])
    func `a painting that was killed continues to the same bits, told the same`(
        tiles: Int, sampler: SamplerKind
    ) async throws {
        let fixture = try OwnDenoiserFixture("gaussian")
        var request = Self.request()
        request.sampler = sampler
        request.steps = 4
        request.conditions = ["mean": [-300]]
        let whole = try await fixture.painting(request)
        let run = RunDirectory(path: fixture.folder + "/run")
        // Ending the loop ends the painting.
        for try await event in try await fixture.pipeline(modules: 1).paint(request, run: run) {
            if case .tile(let done, _) = event, done >= tiles { break }
        }
        #expect(try run.record().request.conditions == ["mean": [-300]])
        let resumed = try await fixture.pipeline(modules: 3).resume(run).painting()
        let same = resumed.canvas == whole.canvas
        #expect(same)
    }

    @Test(arguments: ["a.png", "a.tif"])
    func `a grey picture has 16 bits, from black to white of the range`(name: String) async throws {
        let fixture = try OwnDenoiserFixture("gaussian")
        var request = Self.request()
        request.previewSide = 64
        let painting = try await fixture.painting(request)
        try painting.plan.checkOutput(fixture.folder + "/" + name, model: painting.model)
        let written = try await painting.write(to: fixture.folder + "/" + name)
        let levels = try greyLevels(of: fixture.folder + "/" + name)
        let (canvas, size) = (painting.canvas, request.size)
        var expected: [UInt16] = []
        for row in 0..<size.height {
            for column in 0..<size.width {
                let share = (Double(canvas[0, row, column]) + 500) / 5000
                expected.append(UInt16(max(0, min(65535, (share * 65535).rounded()))))
            }
        }
        let worst = zip(levels, expected).map { abs(Int($0) - Int($1)) }.max() ?? 0
        // Of numbers that lie between two levels, f32 may take the other.
        #expect(levels.count == expected.count && worst <= 1)
        #expect(expected.contains(0) && expected.contains { $0 > 40_000 })
        let digest = PixelDigest()
        let bytes = levels.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        digest.update(bytes.span)
        #expect(written.pixelsSHA256 == digest.finish())
        #expect(written.seams?.borders.worst.ratio ?? 9 < 1.5)
        let metadata = try ImageReader(path: fixture.folder + "/" + name).metadata
        #expect(metadata.parameters?.contains("Model: elevation") == true)
    }

    @Test(arguments: ["a.jpg", "a.webp", "a.dzi"])
    func `a format of 8 bits is refused for a grey picture`(name: String) async throws {
        let fixture = try OwnDenoiserFixture("gaussian")
        let pipeline = try await fixture.pipeline()
        let path = fixture.folder + "/" + name
        let error = #expect(throws: ImageError.self) {
            try pipeline.plan(Self.request()).checkOutput(path, model: "elevation")
        }
        #expect(error?.description.contains("holds 8 bits per channel, not 16") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `the request, conditions included, is in the picture's metadata`() async throws {
        let fixture = try OwnDenoiserFixture("network")
        var request = Self.request(100)
        request.conditions = ["class": [3]]
        let painting = try await fixture.painting(request)
        _ = try await painting.write(to: fixture.folder + "/a.png")
        let block = try #require(try ImageReader(path: fixture.folder + "/a.png").metadata.choir)
        let reproduction = try JSONDecoder().decode(Reproduction.self, from: Data(block.utf8))
        #expect(reproduction.request.conditions == ["class": [3]])
        let again = try await fixture.painting(reproduction.request, modules: 1)
        let same = again.canvas == painting.canvas
        #expect(same)
    }

    @Test func `a denoiser is described`() throws {
        func open(_ kind: String) throws -> OwnDenoiser {
            try OwnDenoiser(directory: OwnDenoiserFixture.fixtures + kind, name: "a", options: EngineOptions())
        }
        let gaussian = try open("gaussian")
        for part in [
            "elevation, a denoiser of your own", "x [?, 1, ?, ?]", "sigma from 8000.0 to 2.0, rho 7.0",
            "mean [1, 1, 1, 1], by --condition, guided", "spread [...], constant", "denoised [?, 1, ?, ?], clean",
            "grey in 16 bits, black at -500.0 and white at 4500.0", "64x64, or other multiples of 8, overlap 16",
            "heun, 6 steps",
        ] { #expect(gaussian.description.contains(part), "\(part) in \(gaussian.description)") }
        let timestep = try open("timestep")
        for part in ["timestep [1] of integers, training step, 1000 of them", "64x64, the only size", "RGB in 8 bits"] {
            #expect(timestep.description.contains(part), "\(part) in \(timestep.description)")
        }
    }
}
