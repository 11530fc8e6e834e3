import ChoirEngine
import ChoirModels
import ChoirRuntime
import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import Choir

@Suite struct CosmosParityTests {
    /// Predictions of PyTorch with the embedded weights: see `Scripts/fixtures/cosmos.py`.
    private func fixture() throws -> SafetensorsFile {
        let path = try #require(
            Bundle.module.path(forResource: "cosmos", ofType: "safetensors", inDirectory: "Fixtures"))
        return try SafetensorsFile(path: path)
    }

    private func denoiser() throws -> CosmosDenoiser {
        var options = EngineOptions()
        options.precision = .f32
        return try CosmosDenoiser(directory: CosmosResources.directory, name: "cosmos", options: options)
    }

    private func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
        guard a.shape == b.shape else { return .infinity }
        return zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? 0
    }

    @Test(arguments: 0..<4, [false, true]) func `our graph predicts what PyTorch predicts`(
        index: Int, hasPromptPerSquare: Bool
    ) async throws {
        let file = try fixture()
        let optional = { (name: String) in
            file.tensors["\(index).\(name)"] == nil ? nil : try file.floats("\(index).\(name)")
        }
        let noisy = try file.floats("\(index).noisy")
        let context = try optional("context")
        let input = TileInput(
            noisy: noisy, coarse: try optional("coarse"),
            level: .flow(Double(try file.floats("\(index).time").elements[0])),
            scale: Int(try file.floats("\(index).scale").elements[0]), embedding: try file.floats("\(index).text"),
            context: context)
        let shape = TileShape(
            height: noisy.height, width: noisy.width, contextTokens: context?.height ?? 0, cellsPerToken: 32,
            hasPromptPerSquare: hasPromptPerSquare)
        let modules = try await denoiser().modules(for: shape, embedding: input.embedding.shape, count: 1)
        let prediction = try await modules.predict(input)
        #expect(largestDifference(prediction.clean, try file.floats("\(index).clean")) <= 1e-4)
        let publication = try #require(prediction.publication)
        #expect(largestDifference(publication, try file.floats("\(index).publication")) <= 1e-4)
        if context != nil {
            let published = try await modules.publish(input)
            #expect(largestDifference(published.tokens, publication) <= 1e-5)
        }
    }

    @Test func `the context changes the prediction, and so does every word`() async throws {
        let denoiser = try denoiser()
        let file = try fixture()
        let context = try file.floats("1.context")
        let noisy = try file.floats("1.noisy")
        let shape = TileShape(
            height: noisy.height, width: noisy.width, contextTokens: context.height, cellsPerToken: 32)
        let modules = try await denoiser.modules(
            for: shape, embedding: denoiser.embedding(of: "red nebula").shape, count: 2)
        func clean(_ prompt: String, _ context: Tensor) async throws -> Tensor {
            try await modules.predict(
                TileInput(
                    noisy: noisy, coarse: nil, level: .flow(0.7), scale: 1, embedding: denoiser.embedding(of: prompt),
                    context: context)
            ).clean
        }
        let base = try await clean("red nebula", context)
        #expect(try await largestDifference(clean("red nebula", context.scaled(by: -1)), base) > 1e-3)
        #expect(try await largestDifference(clean("blue nebula", context), base) > 1e-3)
        #expect(try await largestDifference(clean("red galaxy", context), base) > 1e-3)
        #expect(try await largestDifference(clean("red nebula", context), base) == 0)
    }

    @Test func `what guidance leads away from hears its own tile alone`() async throws {
        let denoiser = try denoiser()
        let file = try fixture()
        let (noisy, first) = (try file.floats("1.noisy"), try file.floats("1.context"))
        let published = [first, first.scaled(by: -1)]
        func context(_ tiles: [Tensor]) -> Tensor {
            Tensor(shape: [2 * first.height, first.width], elements: tiles.flatMap(\.elements))
        }
        // Two tiles side by side.
        let plan = TilePlan(
            columns: TileAxis(length: 2 * noisy.width, window: noisy.width, overlap: 0, alignment: 16),
            rows: TileAxis(length: noisy.height, window: noisy.height, overlap: 0, alignment: 16))
        try #require(plan.count == published.count)
        let prompt = try denoiser.embedding(of: "red nebula")
        let modules = try await denoiser.modules(
            for: TileShape(
                height: noisy.height, width: noisy.width, contextTokens: 2 * first.height, cellsPerToken: 32),
            embedding: prompt.shape, count: 1)
        func clean(_ tile: Int?, _ context: Tensor, isNegative: Bool) async throws -> Tensor {
            var input = TileInput(
                noisy: noisy, coarse: nil, level: .flow(0.9), scale: 1, embedding: prompt, context: context,
                contextTiles: plan, contextIndex: tile)
            input.isNegative = isNegative
            return try await modules.predict(input).clean
        }
        for (tile, own) in published.enumerated() {
            let alone = try await clean(tile, context([own, own]), isNegative: false)
            #expect(try await largestDifference(clean(tile, context(published), isNegative: true), alone) == 0)
            #expect(try await largestDifference(clean(tile, context(published), isNegative: false), alone) > 1e-3)
        }
        // What is no tile hears all.
        let all = try await clean(nil, context(published), isNegative: false)
        #expect(try await largestDifference(clean(nil, context(published), isNegative: true), all) == 0)
    }

    @Test func `a prompt in every square is the prompt, and another in half of them changes that half most`()
        async throws
    {
        let denoiser = try denoiser()
        let noisy = CounterNoise(seed: 4).normal(
            region: Region(x: 0, y: 0, width: 128, height: 64), channels: 3, draw: 0)
        let (red, blue) = (try denoiser.embedding(of: "red nebula"), try denoiser.embedding(of: "blue galaxy"))
        let modules = try await denoiser.modules(
            for: TileShape(
                height: 64, width: 128, contextTokens: 0, cellsPerToken: 64, hasPromptPerSquare: true),
            embedding: red.shape, count: 1)
        func clean(_ embedding: Tensor) async throws -> Tensor {
            try await modules.predict(
                TileInput(
                    noisy: noisy, coarse: nil, level: .flow(0.9), scale: 2, embedding: embedding, context: nil)
            ).clean
        }
        /// 4 x 8 squares; `other` from a column on.
        func squares(_ other: Tensor, from first: Int) -> Tensor {
            let text = red.shape[0]
            let elements = (0..<text * 32).map { ($0 % 8 < first ? red : other).elements[$0 / 32] }
            return Tensor(shape: [text, 4, 8], elements: elements)
        }
        let plain = try await clean(red)
        #expect(try await largestDifference(clean(squares(blue, from: 8)), plain) == 0)
        #expect(try await largestDifference(clean(squares(blue, from: 0)), clean(blue)) == 0)
        let half = try await clean(squares(blue, from: 4))
        let change = { (x: Int) in
            let side = Region(x: x, y: 0, width: 64, height: 64)
            return zip(half.copy(region: side).elements, plain.copy(region: side).elements)
                .reduce(Float(0)) { $0 + abs($1.0 - $1.1) }
        }
        #expect(change(64) > 2 * change(0))
    }

    @Test func `our forms are those of PyTorch, of a text alone and of two pictures' codes`() throws {
        let (file, forms) = (try fixture(), try #require(try denoiser().forms))
        for kind in forms.kinds.indices {
            let text = try file.floats("form.\(kind).text")
            let picture = forms.picture(ofKind: kind, text: text, pair: (0, 0.9999), share: 0.1)
            #expect(largestDifference(picture, try file.floats("form.\(kind).picture")) <= 1e-4)
            let chances = try file.floats("form.\(kind).chances").elements.map(Double.init)
            let named = chances.dropLast().reduce(0, +)
            guard let shares = forms.shares(of: text) else {
                #expect(named <= 0.5)
                continue
            }
            #expect(named >= 0.5)
            for (share, chance) in zip(shares, chances) { #expect(abs(share - chance / named) <= 1e-4) }
        }
    }

    @Test func `prompts ask for the forms that they name, and for none if they name none`() throws {
        let denoiser = try denoiser()
        let forms = try #require(denoiser.forms)
        let kind = { (prompt: String) -> String? in
            let shares = try forms.shares(of: denoiser.embedding(of: prompt))
            return shares.flatMap { shares in
                forms.kinds.indices.max { shares[$0] < shares[$1] }.map { forms.kinds[$0].name }
            }
        }
        for prompt in [
            "", "beautiful", "sky", "deep dark sky", "dark sky with stars", "red", "red nebula", "gas cloud",
            "golden globular clusters", "open cluster", "dense star field", "blue nebula golden globular cluster",
        ] { #expect(try kind(prompt) == nil, "\(prompt)") }
        for (prompt, expected) in [
            ("spiral galaxies", "spiral"), ("blue spiral galaxy", "spiral"), ("edge-on galaxy", "edge-on"),
            ("golden galaxies", "galaxy"), ("planetary nebula", "planetary nebula"),
            ("red supernova remnant", "supernova remnant"), ("cluster of galaxies", "galaxy cluster"),
        ] { #expect(try kind(prompt) == expected, "\(prompt)") }
    }
}
