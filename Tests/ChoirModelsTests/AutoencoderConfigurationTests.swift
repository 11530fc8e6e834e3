import ChoirModels
import Testing

@Suite struct AutoencoderConfigurationTests {
    private static let stable = """
        {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "latent_channels": 4,
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
        "norm_num_groups": 32, "act_fn": "silu", "in_channels": 3, "out_channels": 3, "sample_size": 512}
        """

    private func fields(_ json: String) throws -> ConfigurationFields {
        try ConfigurationFields(path: "vae/config.json", json: [UInt8](json.utf8))
    }

    @Test func `the configuration of Stable Diffusion 1 is read`() throws {
        let configuration = try AutoencoderKLConfiguration(fields(Self.stable))
        #expect(configuration.pixelsPerCell == 8)
        #expect(configuration.blockChannels == [128, 256, 512, 512])
        #expect(configuration.scalingFactors == [0.18215])
        #expect(configuration.shiftFactors == [0])
        #expect(configuration.hasAttention && configuration.hasQuantConvolution)
        let tiny = try AutoencoderTinyConfiguration(fields("{}"))
        #expect(tiny.pixelsPerCell == 8)
        #expect(tiny.decoderBlocks == [3, 3, 3, 1])
    }

    @Test(arguments: [
        ("{\"norm_num_groups\": 3}", "norm_num_groups: found 3, expected a divisor of the 64 channels of a level"),
        ("{\"block_out_channels\": []}", "block_out_channels: found []"),
        ("{\"block_out_channels\": [0]}", "block_out_channels: found [0]"),
        ("{\"block_out_channels\": [64, 1e9]}", "block_out_channels: found"),
        ("{\"down_block_types\": [\"AttnDownBlock2D\"]}", "down_block_types.0: found \"AttnDownBlock2D\""),
        ("{\"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]}", "up_block_types: found"),
        ("{\"act_fn\": \"mish\"}", "act_fn: found \"mish\""),
        ("{\"latent_channels\": -4}", "latent_channels: found -4"),
        ("{\"scaling_factor\": 0}", "scaling_factor: found 0"),
        ("{\"latents_mean\": [1, 2, 3]}", "latents_mean: found [1, 2, 3], expected a list of 4 numbers"),
        ("{\"latents_mean\": [1, 2, 3, 4]}", "latents_std is missing"),
        ("{\"layers_per_block\": 99999}", "layers_per_block: found 99999"),
        ("{\"in_channels\": 4}", "in_channels: found 4"),
        ("{\"force_upcast\": \"no\"}", "force_upcast: found \"no\""),
    ])
    func `a field out of range is named`(json: String, sentence: String) throws {
        let fields = try fields(json)
        let error = #expect(throws: ModelError.self) { try AutoencoderKLConfiguration(fields) }
        #expect(error?.path == "vae/config.json")
        #expect(error?.message.hasPrefix(sentence) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("{\"decoder_block_out_channels\": [64, 64, 32, 64]}", "decoder_block_out_channels: found"),
        ("{\"num_decoder_blocks\": [3, 3]}", "num_decoder_blocks: found [3, 3]"),
        ("{\"upsampling_scaling_factor\": 4}", "upsampling_scaling_factor: found 4"),
        ("{\"upsample_fn\": \"bilinear\"}", "upsample_fn: found \"bilinear\""),
    ])
    func `a field of a tiny autoencoder out of range is named`(json: String, sentence: String) throws {
        let fields = try fields(json)
        let error = #expect(throws: ModelError.self) { try AutoencoderTinyConfiguration(fields) }
        #expect(error?.message.hasPrefix(sentence) == true, "\(error?.message ?? "")")
    }

    @Test func `no configuration crashes, and each that is taken is in range`() {
        let values = ["null", "-1", "0", "1", "7", "1e30", "\"x\"", "[]", "[1, 2]", "[null]", "{}", "true", "9e18"]
        let names = [
            "block_out_channels", "layers_per_block", "norm_num_groups", "latent_channels", "scaling_factor",
            "latents_mean", "latents_std", "num_decoder_blocks", "shift_factor", "use_quant_conv",
        ]
        var taken = 0
        for first in names {
            for second in names where first < second {
                for index in values.indices {
                    let json = """
                        {"\(first)": \(values[index]), "\(second)": \(values[(index * 5 + 3) % values.count])}
                        """
                    guard let fields = try? fields(json) else { continue }
                    if let configuration = try? AutoencoderKLConfiguration(fields) {
                        taken += 1
                        #expect(configuration.blockChannels.allSatisfy { $0 % configuration.groups == 0 })
                        #expect(configuration.scalingFactors.allSatisfy { $0.isFinite && $0 > 0 })
                    }
                    _ = try? AutoencoderTinyConfiguration(fields)
                }
            }
        }
        #expect(taken > 20)
    }
}
