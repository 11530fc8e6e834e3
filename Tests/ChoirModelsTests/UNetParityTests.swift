import ChoirGraph
import ChoirModels
import ChoirTensor
import Testing

@Suite struct UNetParityTests {
    @Test(arguments: ["sd1", "sd2", "sdxl", "refiner", "lcm"], ["0", "1"])
    func `the graph predicts what diffusers predicts`(kind: String, index: String) async throws {
        let fixture = try UNetFixture(kind)
        let found = try await fixture.run(fixture.inputs(index))
        let distance = try relativeDistance(found["prediction"], fixture.value("\(index).prediction"))
        #expect(distance <= 1e-4, "relative distance \(distance)")
    }

    private func bridge(_ fixture: UNetFixture, cellsPerToken: Int, contextTokens: Int) -> UNetBridge {
        let layers = fixture.configuration.selfAttentionLayers.map(\.name)
            .filter { $0.contains(".transformer_blocks.0.") }
        return UNetBridge(layers: Set(layers), cellsPerToken: cellsPerToken, contextTokens: contextTokens)
    }

    @Test func `a tile that reads another predicts what the plain computation of the bridge gives`() async throws {
        let fixture = try UNetFixture("sdxl")
        var inputs = try fixture.inputs("bridge")
        inputs["context"] = try fixture.value("bridge.context")
        let fractions = try fixture.value("bridge.fractions").elements
        inputs["contextBias"] = Tensor(
            shape: [1, fractions.count], elements: fractions.map { UNetBridge.bias(ofFraction: Double($0)) })
        let found = try await fixture.run(
            inputs, bridge: bridge(fixture, cellsPerToken: 4, contextTokens: fractions.count))
        let publication = try relativeDistance(found["publication"], fixture.value("bridge.publication"))
        #expect(publication <= 1e-4, "relative distance \(publication)")
        let prediction = try relativeDistance(found["prediction"], fixture.value("bridge.prediction"))
        #expect(prediction <= 1e-4, "relative distance \(prediction)")
        // The other tile must matter, or the above would say little.
        let plain = try await fixture.run(fixture.inputs("bridge"))
        #expect(try relativeDistance(plain["prediction"], fixture.value("bridge.prediction")) > 1e-3)
    }

    @Test func `a tile that reads nobody predicts as without a bridge`() async throws {
        let fixture = try UNetFixture("sd1")
        var inputs = try fixture.inputs("0")
        let plain = try #require(try await fixture.run(inputs)["prediction"])
        let publishing = try await fixture.run(
            inputs, bridge: bridge(fixture, cellsPerToken: 4, contextTokens: 0))
        #expect(relativeDistance(publishing["prediction"], plain) <= 1e-6)
        let publication = try #require(publishing["publication"])
        #expect(publication.shape[1] == 2 * 3)

        inputs["context"] = publication
        inputs["contextBias"] = Tensor(shape: [1, 6], repeating: UNetBridge.bias(ofFraction: 0))
        let deaf = try await fixture.run(inputs, bridge: bridge(fixture, cellsPerToken: 4, contextTokens: 6))
        #expect(relativeDistance(deaf["prediction"], plain) <= 1e-5)
        #expect(relativeDistance(deaf["publication"], publication) <= 1e-5)
    }

    @Test func `the default bridge is at the middle and the coarsest attention on the way up`() throws {
        let base = try UNetFixture("sdxl").configuration
        #expect(
            base.bridgeLayers == [
                "mid_block.attentions.0.transformer_blocks.0.attn1",
                "up_blocks.0.attentions.0.transformer_blocks.0.attn1",
                "up_blocks.0.attentions.1.transformer_blocks.0.attn1",
            ])
        #expect(base.selfAttentionLayers.map(\.factor) == [2, 4, 4, 4, 4, 4, 4, 4, 4, 2, 2])
        let bridge = UNetBridge(layers: base.bridgeLayers, cellsPerToken: 8, contextTokens: 1)
        #expect(base.publicationWidth(bridge) == 3 * 2 * 8)
    }

    @Test func `a bridge that does not fit is refused with its layer`() throws {
        let fixture = try UNetFixture("sdxl")
        func message(_ bridge: UNetBridge, height: Int = 8) throws -> String? {
            let error = try #require(throws: GraphError.self) {
                try UNetGraph.build(
                    fixture.configuration, weights: fixture.weights(), height: height, width: 8, textTokens: 5,
                    bridge: bridge)
            }
            return error.description
        }
        let layer = "mid_block.attentions.0.transformer_blocks.0.attn1"
        let unknown = UNetBridge(layers: [layer, "conv_in"], cellsPerToken: 8, contextTokens: 0)
        #expect(try message(unknown)?.hasPrefix("unet.conv_in: a bridge is at one or more") == true)
        let fine = UNetBridge(layers: [layer], cellsPerToken: 2, contextTokens: 0)
        #expect(try message(fine)?.hasSuffix("which do not divide into squares of 2 cells") == true)
        let coarse = UNetBridge(layers: [layer], cellsPerToken: 8, contextTokens: 0)
        #expect(
            try message(coarse, height: 12)
                == "unet.\(layer): the layer has 3 x 2 tokens, each of 4 x 4 cells, which do not divide into squares "
                + "of 8 cells")
    }
}
