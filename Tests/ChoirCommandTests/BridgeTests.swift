import Foundation
import Testing

@Suite struct BridgeTests {
    @Test(arguments: ["none", "consensus", "shift", "halo"])
    func `every rule paints canvases that wrap, with attention and coarse stages`(rule: String) async throws {
        let scratch = Scratch()
        _ = try await paintedHash(
            [
                "red nebula", "--size", "160x96", "--tile", "64", "--steps", "1", "--tileable", "xy", "--bridge", rule,
                "attention", "coarse", "--output", "a.png",
            ], in: scratch)
        let seams = try await choir("seams", "a.png", "--tile", "64", "--tileable", "xy", "--json", in: scratch)
        #expect(seams.code == 0, "\(seams.error)")
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(seams.output.utf8)) as? [String: Any])
        let edges = try #require(report["edges"] as? [String: [String: Double]])
        #expect(edges["x"]?["score"] != nil && edges["y"]?["score"] != nil)
    }

    @Test(arguments: [("none", 81), ("consensus", 81), ("halo", 81), ("shift", 64)])
    func `a plan states the evaluations a step of each rule`(rule: String, count: Int) async throws {
        let scratch = Scratch()
        let overlap = rule == "shift" ? "0" : "64"
        let plan = try await choir(
            "plan", "--size", "4096x4096", "--tile", "512", "--overlap", overlap, "--guidance", "1", "--bridge", rule,
            in: scratch)
        #expect(plan.output.contains(" \(count) evaluations a step"), "\(plan.output)\(plan.error)")
    }

    @Test func `a set of pictures is written with its sides, scores and a mosaic`() async throws {
        let scratch = Scratch()
        let outcome = try await choir(
            "tiles", "red nebula", "--set", "2", "--size", "64x64", "--padding", "16", "--strip", "4", "--steps", "1",
            "--mosaic", "3x2", "--output", "set", in: scratch)
        #expect(outcome.code == 0, "\(outcome.error)")
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file("set")).sorted()
        #expect(names == ["mosaic.png", "sides.json", "tile-1.png", "tile-2.png"])
        let record = try scratch.json("set/sides.json")
        // Each of two right sides with each of two left ones, and so for bottom and top.
        #expect((record["joins"] as? [Any])?.count == 8)
        #expect((record["mosaic"] as? [[String]])?.map(\.count) == [3, 3])
        let mosaic = try await choir("inspect", "set/mosaic.png", in: scratch)
        #expect(mosaic.output.contains("192x128"))
    }

    @Test func `sides in a file join pictures of different prompts, turned where they must be`() async throws {
        let scratch = Scratch()
        let json = """
            {"images": [
                {"name": "red", "prompt": "red nebula", "seed": 1, "sides": {"right": {"id": 7, "direction": "cw"}}},
                {"name": "blue", "prompt": "blue nebula", "sides": {"top": {"id": 7, "direction": "ccw"}}}
            ]}
            """
        try Data(json.utf8).write(to: URL(fileURLWithPath: scratch.file("s.json")))
        let outcome = try await choir(
            "tiles", "--sides", "s.json", "--size", "64x64", "--padding", "16", "--strip", "4", "--steps", "1",
            "--mosaic", "2x1", in: scratch)
        #expect(outcome.code == 0, "\(outcome.error)")
        let record = try scratch.json("tiles/sides.json")
        #expect((record["joins"] as? [Any])?.count == 1)
        #expect(record["mosaic"] as? [[String]] == [["red", "blue@270"]])
    }

    @Test func `what cannot be is refused in one sentence`() async throws {
        let scratch = Scratch()
        try Data(#"{"images": [{"name": "a", "sides": {"up": {"id": 1, "direction": "cw"}}}]}"#.utf8)
            .write(to: URL(fileURLWithPath: scratch.file("s.json")))
        let tiles = ["tiles", "--size", "64x64"]
        for (arguments, code, parts) in [
            (["plan", "--bridge", "shift", "halo"], 64, ["shift and halo"]),
            (["plan", "--bridge", "halo", "--bridge-weights", "gaussian"], 64, ["bridge weights", "consensus"]),
            (["plan", "--size", "1000x1000", "--tileable", "x"], 64, ["width", "multiple of 16"]),
            (tiles, 64, ["--tileable, --set or --sides"]), (tiles + ["--set", "0"], 64, ["set", "1 to 64"]),
            (tiles + ["--sides", "s.json"], 65, ["s.json", "found side up"]),
            (tiles + ["--sides", "missing.json"], 65, ["missing.json"]),
            (tiles + ["--set", "2", "--padding", "50"], 64, ["padding", "8 to 32"]),
            (tiles + ["--set", "2", "--mosaic", "0x9"], 64, ["mosaic"]),
        ] as [([String], Int32, [String])] {
            try await expectRefusal(arguments, in: scratch, code: code, saying: parts)
        }
    }
}
