import ChoirGraph
import ChoirModels
import ChoirTensor
import Foundation
import Testing

/// Checkpoints with something wrong in them: each gets one sentence that names the file and the field.
@Suite struct CheckpointRefusalTests {
    private func expectRefusal(
        _ scratch: CheckpointScratch, _ name: String, _ message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = refusal { try Checkpoint(path: scratch.path).check() }
        let expected = (name.isEmpty ? scratch.path : "\(scratch.path)/\(name)") + ": \(message)"
        #expect(
            found == expected.replacing("PATH", with: scratch.path), sourceLocation: sourceLocation)
    }

    static let shard = "diffusion_pytorch_model-00002-of-00004.safetensors"
    static let index = "unet/diffusion_pytorch_model.safetensors.index.json"

    @Test func `a missing shard is named by its index`() throws {
        let scratch = try CheckpointScratch()
        try scratch.remove("unet/" + Self.shard)
        expectRefusal(scratch, Self.index, "weight_map names the shard \(Self.shard), which is missing")
    }

    @Test func `a shard that is another is refused`() throws {
        let scratch = try CheckpointScratch()
        try scratch.remove("unet/" + Self.shard)
        try FileManager.default.copyItem(
            atPath: "\(scratch.path)/unet/diffusion_pytorch_model-00001-of-00004.safetensors",
            toPath: "\(scratch.path)/unet/\(Self.shard)")
        let found = refusal { _ = try Checkpoint(path: scratch.path) }
        #expect(found.hasPrefix("\(scratch.path)/unet/\(Self.shard): the weight "))
        #expect(found.hasSuffix(" is missing, diffusion_pytorch_model.safetensors.index.json says it is here"))
    }

    @Test func `an index must not lead out of its folder`() throws {
        let scratch = try CheckpointScratch()
        try scratch.write(#"{"weight_map": {"conv_in.bias": "../vae/x.safetensors"}}"#, to: Self.index)
        expectRefusal(
            scratch, Self.index,
            #"weight_map.conv_in.bias: found "../vae/x.safetensors", expected a file of the same folder"#)
    }

    @Test func `one tensor of the wrong shape is named with its file`() throws {
        let scratch = try CheckpointScratch()
        let path = "\(scratch.path)/unet/\(Self.shard)"
        let file = try SafetensorsFile(path: path)
        let name = try #require(file.names.first { $0.hasSuffix("attn1.to_q.weight") })
        let shape = try file.entry(name).shape
        try rewrite(file, to: path) { $0[name] = .float32(Tensor(shape: [8, 9])) }
        expectRefusal(scratch, "", "unet.\(name): expected \(shape), file has [8, 9] (in PATH/unet/\(Self.shard))")
    }

    @Test func `one missing tensor of a single file is named as diffusers and as the file has it`() throws {
        let scratch = try CheckpointScratch()
        let path = scratch.path + "/x.safetensors"
        let file = try SafetensorsFile(path: CheckpointFixture.directory() + "/sd1.safetensors")
        let name = "model.diffusion_model.output_blocks.2.1.conv.bias"
        try rewrite(file, to: path) { try #require($0.removeValue(forKey: name) != nil) }
        let found = refusal { try Checkpoint(path: path, conventions: CheckpointFixture.conventions).check() }
        #expect(
            found == "\(path): unet.up_blocks.0.upsamplers.0.conv.bias: no such weight in \(path), as \(name)")
    }

    @Test(arguments: [
        (
            "\"CrossAttnDownBlock2D\"", "\"AttnDownBlock2D\"",
            #"down_block_types.1: found "AttnDownBlock2D", expected "CrossAttnDownBlock2D" or "DownBlock2D""#
        ),
        (
            "\"norm_num_groups\": 4", "\"norm_num_groups\": 0",
            "norm_num_groups: found 0, expected an integer from 1 to 16384"
        ),
        (
            "\"norm_num_groups\": 4", "\"norm_num_groups\": 3",
            "norm_num_groups: found 3, expected a divisor of block_out_channels, [4, 4, 8]"
        ),
        (
            "\"in_channels\": 4", "\"in_channels\": 4000000000",
            "in_channels: found 4000000000, expected an integer from 1 to 256"
        ),
        (
            "\"layers_per_block\": 1", "\"layers_per_block\": \"one\"",
            #"layers_per_block: found "one", expected a list of 3 integers from 1 to 64"#
        ),
        (
            "\"class_embed_type\": null", "\"class_embed_type\": \"timestep\"",
            #"class_embed_type: found "timestep", expected null"#
        ),
        (
            "\"only_cross_attention\": false", "\"only_cross_attention\": true",
            "only_cross_attention: found true, expected false"
        ),
        (
            "\"addition_embed_type\": \"text_time\"", "\"addition_embed_type\": \"image\"",
            #"addition_embed_type: found "image", expected "text_time""#
        ),
        (
            "\"mid_block_type\": \"UNetMidBlock2DCrossAttn\"", "\"mid_block_type\": \"UNetMidBlock2D\"",
            #"mid_block_type: found "UNetMidBlock2D", expected "UNetMidBlock2DCrossAttn""#
        ),
        (
            "\"projection_class_embeddings_input_dim\": 36", "\"projection_class_embeddings_input_dim\": null",
            "projection_class_embeddings_input_dim is missing, expected an integer from 4 to 1048576"
        ),
    ])
    func `a field out of its range is named`(old: String, new: String, message: String) throws {
        let scratch = try CheckpointScratch()
        try scratch.replace(old, by: new, in: "unet/config.json")
        expectRefusal(scratch, "unet/config.json", message)
    }

    @Test func `parts that do not belong together are refused`() throws {
        let scratch = try CheckpointScratch()
        try scratch.replace("\"projection_dim\": 12", by: "\"projection_dim\": 11", in: "text_encoder_2/config.json")
        expectRefusal(
            scratch, "text_encoder_2/config.json",
            "projection_dim: found 11, expected what the UNet leaves of projection_class_embeddings_input_dim, 36, "
                + "with 6 sizes (SDXL base) or 5 (refiner)")
    }

    @Test func `what is no checkpoint is refused`() throws {
        let scratch = try CheckpointScratch()
        expectMessage("\(scratch.path)/none", "\(scratch.path)/none: no such file or folder")
        expectMessage(
            scratch.path + "/vae",
            "\(scratch.path)/vae: expected a folder of diffusers with unet/config.json, or one .safetensors file")
        let vae = "\(scratch.path)/vae/diffusion_pytorch_model.safetensors"
        expectMessage(
            vae,
            "\(vae): expected a checkpoint in the original layout, whose UNet begins with the tensor "
                + "model.diffusion_model.input_blocks.0.0.weight; parts alone are opened as folders of diffusers")
        try scratch.write("{", to: "vae/config.json")
        #expect(
            refusal { _ = try Checkpoint(path: scratch.path) }.hasPrefix("\(scratch.path)/vae/config.json: cannot read")
        )
        try scratch.remove("unet")
        try scratch.write(#"{"transformer": ["diffusers", "FluxTransformer2DModel"]}"#, to: "model_index.json")
        try scratch.remove("vae")
        expectMessage(
            scratch.path,
            "\(scratch.path)/model_index.json: transformer: the denoiser is a transformer, expected a UNet "
                + "(Stable Diffusion 1.x, 2.x or SDXL)")
    }

    private func expectMessage(
        _ path: String, _ message: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(refusal { _ = try Checkpoint(path: path) } == message, sourceLocation: sourceLocation)
    }

    @Test func `weights that are pickled are named`() throws {
        let scratch = try CheckpointScratch()
        try scratch.remove("vae/diffusion_pytorch_model.safetensors")
        try scratch.write("", to: "vae/diffusion_pytorch_model.bin")
        expectRefusal(
            scratch, "vae",
            "expected the weights diffusion_pytorch_model.safetensors or its shards, found diffusion_pytorch_model.bin")
    }
}
