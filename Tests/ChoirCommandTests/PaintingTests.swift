import Foundation
import Testing

@Suite struct PaintingTests {
    static let small = ["red nebula, blue stars", "--size", "160x96", "--tile", "64", "--steps", "1"]

    /// All combinations of bridges but the empty one, which the command line cannot name.
    static let bridges: [[String]] = (1..<8).map { bits in
        ["consensus", "attention", "coarse"].enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element)
    }

    @Test(arguments: bridges)
    func `one module and eight paint the same pixels`(bridges: [String]) async throws {
        let scratch = Scratch()
        let arguments = Self.small + ["--bridge"] + bridges
        let alone = try await paintedHash(arguments + ["--modules", "1"], in: scratch)
        #expect(try await paintedHash(arguments + ["--modules", "8"], in: scratch) == alone)
    }

    @Test func `the report has the keys that were promised`() async throws {
        let scratch = Scratch()
        let outcome = try await Program.choir.run(
            ["generate"] + Self.small + ["--seed", "18446744073709551615", "--report", "a.json", "--modules", "3"],
            in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.error)")
        let report = try scratch.json("a.json")
        #expect(report["model"] as? String == "cosmos")
        #expect(report["size"] as? [String: Int] == ["width": 160, "height": 96])
        #expect((report["seed"] as? NSNumber)?.uint64Value == UInt64.max)
        #expect(report["steps"] as? Int == 1)
        #expect(report["tiles"] as? Int == 6)
        #expect(report["evaluations"] as? Int ?? 0 > 6)
        #expect(report["modules"] as? Int == 3)
        #expect(["f32", "bf16"].contains(report["precision"] as? String))
        #expect(report["peakResidentBytes"] as? Int ?? 0 > 1 << 20)
        let timings = try #require(report["timings"] as? [String: Double])
        for key in ["compile", "denoise", "network", "write", "total"] { #expect(timings[key] ?? 0 > 0, "\(key)") }
        #expect(timings["total"] ?? 0 >= (timings["denoise"] ?? 0) + (timings["compile"] ?? 0))
        let seam = try #require(report["seam"] as? [String: Double])
        for key in ["ratioMean", "ratioP95", "ratioWorst", "controlWorst"] { #expect(seam[key] ?? 0 > 0, "\(key)") }
        let hash = try #require(report["pixelsSHA256"] as? String)
        #expect(hash.count == 64)
        #expect(outcome.output.contains(hash))
        #expect(scratch.names == ["a.json", "choir.png"])
    }

    @Test func `given noise takes the place of the seed's, and the canvas is kept`() async throws {
        let scratch = Scratch()
        let header = #"{"noise":{"dtype":"F32","shape":[1,3,64,64],"data_offsets":[0,49152]}}"#
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        try (length + Data(header.utf8) + Data(count: 49152)).write(
            to: URL(fileURLWithPath: scratch.file("n.safetensors")))
        let arguments = ["", "--size", "64x64", "--bridge", "consensus", "--steps", "1"]
        let given = arguments + ["--noise", "n.safetensors", "--latents", "l.safetensors"]
        let first = try await paintedHash(given + ["--seed", "1"], in: scratch)
        #expect(try await paintedHash(given + ["--seed", "2"], in: scratch) == first)
        #expect(try await paintedHash(arguments + ["--seed", "1"], in: scratch) != first)
        let latents = try await choir("inspect", "l.safetensors", in: scratch)
        #expect(latents.output.contains("latents F32 [1, 3, 64, 64]"))
    }

    @Test func `a picture of one tile has no border to report`() async throws {
        let scratch = Scratch()
        _ = try await paintedHash(["", "--size", "64x64", "--steps", "1", "--output", "one.jpg"], in: scratch)
        let name = try #require(scratch.names.first { $0.hasPrefix("report") })
        let seam = try #require(try scratch.json(name)["seam"] as? [String: Any])
        #expect(Set(seam.keys) == ["ratioMean", "ratioP95", "ratioWorst", "controlWorst"])
        #expect(seam.values.allSatisfy { $0 is NSNull })
    }

    @Test func `progress is plain lines where there is no terminal, and nothing if quiet`() async throws {
        let scratch = Scratch()
        let loud = try await Program.choir.run(["generate"] + Self.small, in: scratch.path)
        #expect(!loud.error.contains { $0 == "\r" || $0 == "\u{1B}" })
        #expect(loud.errorLines.first == "160x96 pixels, 6 tiles at full size, 26 evaluations of the network")
        #expect(loud.errorLines.dropFirst().count == 13)
        for line in loud.errorLines.dropFirst() {
            #expect(line.contains("%  step ") && line.contains(" tiles/s  ") && line.hasSuffix(" left"), "\(line)")
        }
        #expect(loud.errorLines.last?.hasPrefix("100 %  step 13/13") == true)
        let quiet = try await Program.choir.run(["generate"] + Self.small + ["--quiet"], in: scratch.path)
        #expect(quiet.code == 0)
        #expect(quiet.output.isEmpty && quiet.error.isEmpty)
    }

    @Test func `the preview is a small picture of the canvas`() async throws {
        let scratch = Scratch()
        _ = try await paintedHash(
            ["nebula", "--size", "640x64", "--tile", "64", "--steps", "1", "--preview", "small.png"], in: scratch)
        let outcome = try await choir("inspect", "small.png", in: scratch)
        #expect(outcome.output.hasPrefix("small.png: 320x32, 3 channels of 8 bits"), "\(outcome.output)")
    }

    @Test func `the miniature example paints with four tiles`() async throws {
        let scratch = Scratch()
        let outcome = try await Program.miniature.run(["mini.png", "128"], in: scratch.path)
        #expect(outcome.code == 0, "\(outcome.error)")
        #expect(outcome.output.hasPrefix("4 tiles, "))
        let inspected = try await choir("inspect", "mini.png", in: scratch)
        #expect(inspected.output.hasPrefix("mini.png: 128x128"))
        #expect(inspected.output.contains("Bridges: consensus+attention+coarse"))
    }
}
