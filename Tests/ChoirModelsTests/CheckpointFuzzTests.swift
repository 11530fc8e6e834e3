import ChoirGraph
import ChoirModels
import ChoirTensor
import Foundation
import Testing

/// Damaged configurations and files either load or are refused with a sentence; nothing crashes.
@Suite struct CheckpointFuzzTests {
    /// A small seeded generator (Steele, Lea, Flood 2014).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let values = [
        "0", "-1", "1", "2", "3", "64", "4096", "65536", "9223372036854775807", "9223372036854775808", "1e999", "0.5",
        "-0.0", "NaN", "null", "true", "false", "\"\"", "\"CrossAttnDownBlock2D\"", "[]", "[1]", "[1, 2]", "[[1]]",
        "{}", "{\"a\": 1}", "[null, null, null]", "[4, 8, 16]", "[8, 8, 9223372036854775807]", "",
    ]

    /// Replaces values of fields, or single bytes.
    private func mutate(_ text: String, using generator: inout Generator) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0..<lines.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: lines.remove(at: index)
            case 1: lines.insert(lines[Int.random(in: 0..<lines.count, using: &generator)], at: index)
            case 2:
                var bytes = Array(lines[index].utf8)
                guard !bytes.isEmpty else { break }
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0...6, using: &generator)
                lines[index] = String(decoding: bytes, as: UTF8.self)
            case 3: lines[index] += String(repeating: "[", count: Int.random(in: 1...2000, using: &generator))
            default:
                guard let colon = lines[index].firstIndex(of: ":") else { break }
                let comma = lines[index].hasSuffix(",") ? "," : ""
                lines[index] =
                    lines[index][...colon] + " " + (Self.values.randomElement(using: &generator) ?? "") + comma
            }
            if lines.isEmpty { lines = [""] }
        }
        return lines.joined(separator: "\n")
    }

    @Test(arguments: ["sd1", "sd2", "sdxl", "refiner", "lcm"])
    func `a damaged configuration of a UNet is read or refused`(kind: String) throws {
        let fixture = try UNetFixture(kind)
        let original = try String(contentsOfFile: fixture.directory + "/config.json", encoding: .utf8)
        let weights = try fixture.weights()
        var generator = Generator(state: 1)
        var (read, built, refused) = (0, 0, 0)
        for _ in 0..<400 {
            let json = Array(mutate(original, using: &generator).utf8)
            do throws(ModelError) {
                let configuration = try UNetConfiguration(ConfigurationFields(path: "config.json", json: json))
                read += 1
                let side = 1 << configuration.channels.count
                let graph = try? UNetGraph.build(
                    configuration, weights: weights, height: side, width: side, textTokens: 2)
                let text = try? UNetGraph.buildText(configuration, weights: weights, textTokens: 2)
                if graph != nil && text != nil { built += 1 }
            } catch {
                #expect(error.path == "config.json" && !error.message.isEmpty)
                refused += 1
            }
        }
        // A mutation that never did harm would test nothing, nor would one that always does.
        #expect(refused > 80 && built > 20 && read + refused == 400, "\(read) read, \(built) built, \(refused) refused")
    }

    @Test func `a damaged index or configuration of a folder is read or refused`() throws {
        let scratch = try CheckpointScratch()
        var generator = Generator(state: 2)
        var refused = 0
        for name in [
            "model_index.json", "unet/diffusion_pytorch_model.safetensors.index.json", "vae/config.json",
            "text_encoder_2/config.json", "scheduler/scheduler_config.json",
        ] {
            let original = try scratch.text(name)
            for _ in 0..<40 {
                try scratch.write(mutate(original, using: &generator), to: name)
                do throws(ModelError) {
                    let checkpoint = try Checkpoint(path: scratch.path)
                    #expect(!checkpoint.description.description.isEmpty)
                } catch {
                    #expect(!error.description.isEmpty)
                    refused += 1
                }
            }
            try scratch.write(original, to: name)
        }
        #expect(refused > 40)
    }

    @Test func `a single file whose tensors were exchanged is read or refused`() throws {
        let scratch = try CheckpointScratch()
        let file = try SafetensorsFile(path: CheckpointFixture.directory() + "/sdxl.safetensors")
        var generator = Generator(state: 3)
        let path = scratch.path + "/x.safetensors"
        let shapes = file.tensors.mapValues(\.shape)
        var refused = 0
        for _ in 0..<60 {
            try write(exchanged(shapes, using: &generator), to: path)
            do throws(ModelError) {
                let checkpoint = try Checkpoint(path: path, conventions: CheckpointFixture.conventions)
                #expect(!checkpoint.description.description.isEmpty)
                try checkpoint.check()
            } catch {
                #expect(!error.description.isEmpty)
                refused += 1
            }
        }
        #expect(refused > 20)
    }

    @Test(arguments: ["sdxl.safetensors", "sdxl/vae/diffusion_pytorch_model.safetensors", "taesd_decoder.safetensors"])
    func `an autoencoder's file whose tensors were exchanged is read or refused`(name: String) throws {
        let scratch = try CheckpointScratch()
        var generator = Generator(state: 4)
        let path = scratch.path + "/x.safetensors"
        var shapes: [String: Shape] = [:]
        if name.hasPrefix("taesd") {
            // Two stages of a block, the first enlarged.
            for index in [1, 5, 7] { shapes["\(index).weight"] = [4, 4, 3, 3] }
            for index in [3, 6] { shapes["\(index).conv.0.weight"] = [4, 4, 3, 3] }
        } else {
            shapes = try SafetensorsFile(path: CheckpointFixture.directory() + "/" + name).tensors.mapValues(\.shape)
                .filter { !$0.key.contains(".") || $0.key.contains("decoder.") || $0.key.hasPrefix("post") }
        }
        var (refused, read) = (0, 0)
        for _ in 0..<60 {
            try write(exchanged(shapes, using: &generator), to: path)
            do throws(ModelError) {
                let module = try CheckpointModule(
                    autoencoder: path, kind: .sdxlBase, conventions: CheckpointFixture.conventions)
                let configuration = try AutoencoderConfiguration(module.configuration)
                _ = try? configuration.decoder(weights: module.weights(), height: 4, width: 4)
                read += 1
            } catch {
                #expect(!error.description.isEmpty)
                refused += 1
            }
        }
        #expect(refused > 5 && read > 5, "\(refused) refused, \(read) read")
    }

    /// Removes and exchanges a few tensors.
    private func exchanged(_ shapes: [String: Shape], using generator: inout Generator) -> [String: Shape] {
        let names = shapes.keys.sorted()
        var shapes = shapes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let (a, b) = (names.randomElement(using: &generator) ?? "", names.randomElement(using: &generator) ?? "")
            let (first, second) = (shapes[a], shapes[b])
            shapes[a] = Bool.random(using: &generator) ? second : nil
            shapes[b] = first
        }
        return shapes
    }

    /// Only shapes matter here, so elements are zeros.
    private func write(_ shapes: [String: Shape], to path: String) throws {
        try SafetensorsWriter.write(tensors: shapes.mapValues { .float32(Tensor(shape: $0)) }, to: path)
    }
}
