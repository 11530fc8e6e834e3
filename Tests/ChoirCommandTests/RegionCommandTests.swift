import Foundation
import Testing

@Suite struct RegionCommandTests {
    static let small = ["stars", "--size", "96x64", "--tile", "64", "--steps", "1"]

    /// A map of two colours and its legend.
    private func writeMap(in scratch: Scratch) throws {
        let pixels = Data((0..<64).flatMap { $0 % 8 < 4 ? [200, 0, 0] : [0, 0, 200] as [UInt8] })
        try (Data("P6\n8 8\n255\n".utf8) + pixels).write(to: URL(fileURLWithPath: scratch.file("map.ppm")))
        try scratch.write(
            ##"{"#c80000": {"prompt": "red nebula", "seed": 9}, "#0000c8": {"prompt": "galaxy", "guidance": 6}}"##,
            to: "legend.json")
    }

    static let map = ["--map", "map.ppm", "--legend", "legend.json"]
    static let regions = [
        "--region", "red nebula@0,0,0.5,1;guidance=5", "--region", "galaxy @ dusk@.25,.25,.5,.5;seed=3;feather=0.2",
        "--reseed", "0.5,0.5,0.5,0.5:7",
    ]

    @Test func `regions, a map and another seed each change the picture, and modules do not`() async throws {
        let scratch = Scratch()
        try writeMap(in: scratch)
        var hashes: Set<String> = [try await paintedHash(Self.small, in: scratch)]
        for options in [Self.map, Self.regions, ["--reseed", "0.5,0.5,0.5,0.5:7"]] {
            let hash = try await paintedHash(Self.small + options + ["--modules", "1"], in: scratch)
            #expect(try await paintedHash(Self.small + options + ["--modules", "8"], in: scratch) == hash)
            hashes.insert(hash)
        }
        #expect(hashes.count == 4)
    }

    @Test func `a region of everything is the prompt, and the same seed changes nothing`() async throws {
        let scratch = Scratch()
        let plain = try await paintedHash(Self.small, in: scratch)
        let region = try await paintedHash(
            ["galaxy"] + Self.small.dropFirst() + ["--region", "stars@0,0,1,1"], in: scratch)
        #expect(region == plain)
        #expect(try await paintedHash(Self.small + ["--reseed", "0.2,0.2,0.5,0.5:0"], in: scratch) == plain)
    }

    @Test func `objects of a prompt have places of their own unless they are mixed`() async throws {
        let scratch = Scratch()
        let options = ["red nebula, golden clusters"] + Self.small.dropFirst()
        let hash = try await paintedHash(options + ["--run", "apart"], in: scratch)
        #expect(try await paintedHash(options + ["--mixed", "--run", "mixed"], in: scratch) != hash)
        let map = { (run: String) in (try scratch.json(run + "/request.json")["request"] as? [String: Any])?["map"] }
        #expect(try map("apart") != nil)
        #expect(try map("mixed") == nil)
        for run in ["apart", "mixed"] {
            let resumed = try await choir("resume", run, "--quiet", in: scratch)
            #expect(resumed.code == 0, "\(resumed.error)")
        }
    }

    @Test func `a run goes on without the map's file, and the metadata reproduces the picture`() async throws {
        let scratch = Scratch()
        try writeMap(in: scratch)
        let hash = try await paintedHash(
            Self.small + Self.map + Self.regions + ["--output", "a.png", "--run", "run"], in: scratch)
        for file in ["map.ppm", "legend.json"] { try FileManager.default.removeItem(atPath: scratch.file(file)) }

        let inspected = try await choir("inspect", "a.png", in: scratch)
        let block = try #require(inspected.output.split(separator: "\n").last)
        let reproduction = try #require(try JSONSerialization.jsonObject(with: Data(block.utf8)) as? [String: Any])
        var record = try scratch.json("run/request.json")
        record["request"] = try #require(reproduction["request"] as? [String: Any])
        try FileManager.default.removeItem(atPath: scratch.file("run/state.safetensors"))
        try JSONSerialization.data(withJSONObject: record).write(
            to: URL(fileURLWithPath: scratch.file("run/request.json")))
        let resumed = try await choir("resume", "run", "--quiet", "--report", "r.json", in: scratch)
        #expect(resumed.code == 0, "\(resumed.error)")
        #expect(try scratch.json("r.json")["pixelsSHA256"] as? String == hash)
    }

    static let refusals: [([String], Int32, [String])] = [
        (["--region", "red nebula"], 64, ["region", "red nebula@0,0,0.5,1"]),
        (["--region", "a@0,0,1,1;blur=1"], 64, ["blur=1", "feather="]),
        (["--region", "a@0.5,0,0.6,1"], 64, ["region 1, width", "0.6", "at most 0.5"]),
        (["--region", "a@0,0,1,1", "--region", "b@0,0,1,1;feather=2"], 64, ["region 2, feather", "0 to 1"]),
        (["--region", "a@0,0,1,1;guidance=99"], 64, ["region 1, guidance", "99", "0 to 30"]),
        (["--reseed", "0,0,1,1"], 64, ["reseed", "x,y,w,h:SEED"]),
        (["--reseed", "0,0,1,2:3"], 64, ["reseed 1, height", "found 2"]),
        (["--map", "map.ppm"], 64, ["map", "no --legend"]),
        (["--legend", "legend.json"], 64, ["legend", "no --map"]),
        (["--map", "missing.png", "--legend", "legend.json"], 65, ["missing.png"]),
        (["--map", "map.ppm", "--legend", "missing.json"], 65, ["missing.json"]),
        (["--map", "map.ppm", "--legend", "map.ppm"], 65, ["map.ppm", "no legend"]),
        (["--map", "map.ppm", "--legend", "half.json"], 65, ["map.ppm", "#0000c8 at 4, 0", "#c80000"]),
        (Array(repeating: ["--region", "a@0,0,1,1"], count: 65).flatMap { $0 }, 64, ["regions", "found 65", "64"]),
    ]

    @Test(arguments: refusals) func `what is no composition is refused`(
        options: [String], code: Int32, parts: [String]
    ) async throws {
        let scratch = Scratch()
        try writeMap(in: scratch)
        try scratch.write(##"{"#c80000": "red nebula"}"##, to: "half.json")
        try await expectRefusal(["generate"] + Self.small + options, in: scratch, code: code, saying: parts)
    }

    @Test func `a plan counts what guided regions take`() async throws {
        let scratch = Scratch()
        let sized = ["plan", "x", "--size", "96x64", "--tile", "64", "--guidance", "1", "--bridge", "consensus"]
        let plain = try await Program.choir.run(sized, in: scratch.path)
        let region = try await Program.choir.run(sized + ["--region", "a@0,0,0.5,1"], in: scratch.path)
        // Cosmos can be told something else in each square, at no cost.
        #expect(region.output == plain.output)
        #expect(plain.output.contains("2 evaluations a step"))
    }
}
