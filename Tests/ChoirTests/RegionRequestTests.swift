import Choir
import Foundation
import Testing

/// Regions as text, as JSON, and as what cannot be painted.
@Suite struct RegionRequestTests {
    @Test func `a region is read from text`() throws {
        let plain = try PaintRegion(parsing: "red nebula, blue stars@0,0.25,.5,0.75")
        #expect(plain.content == RegionContent(prompt: "red nebula, blue stars"))
        #expect(plain.rectangle == PictureRectangle(x: 0, y: 0.25, width: 0.5, height: 0.75))
        #expect(plain.feather == PaintRegion.standardFeather)
        let full = try PaintRegion(
            parsing: "stars @ dusk@0, 0, 1, 1;feather=0;guidance=4.5;seed=18446744073709551615;negative=a@b, c=d")
        #expect(full.content.prompt == "stars @ dusk")
        #expect(full.content.negativePrompt == "a@b, c=d")
        #expect(full.content.guidance == 4.5)
        #expect(full.content.seed == .max)
        #expect(full.feather == 0)
        #expect(try PaintRegion(parsing: "@0,0,1,1").content.prompt.isEmpty)
        #expect(try PaintRegion(parsing: "a@0,0,1,1@0,0,.5,.5").content.prompt == "a@0,0,1,1")
        let reseed = Reseed(PictureRectangle(x: 0.5, y: 0, width: 0.25, height: 1), seed: 7)
        #expect(try Reseed(parsing: "0.5,0,0.25,1:7") == reseed)
    }

    static let texts: [(String, [String])] = [
        ("red nebula", ["region", "found red nebula", "red nebula@0,0,0.5,1"]),
        ("", ["region", "such as"]), ("a@0,0,1", ["region", "found a@0,0,1"]), ("a@0,0,1,1,1", ["four numbers"]),
        ("a@0,0,1,one", ["four numbers"]), ("a@0,0,1,1;blur=2", ["found the setting blur=2", "feather="]),
        ("a@0,0,1,1;", ["found the setting ", "feather="]), ("a@0,0,1,1;seed=-1", ["region, seed", "found -1"]),
        ("a@0,0,1,1;guidance=", ["region, guidance", "found nothing"]),
        ("a@0,0,1,1;feather=soft", ["region, feather", "found soft"]),
    ]

    @Test(arguments: texts) func `text that is no region is refused`(text: String, parts: [String]) {
        expectError(parts) { _ = try PaintRegion(parsing: text) }
    }

    @Test(arguments: ["", "0,0,1,1", "0,0,1:7", "0,0,1,1:x", "0,0,1,1:-3", "0,0,1,1:1:2", "a,0,1,1:1"])
    func `text that is no rectangle with a seed is refused`(text: String) {
        expectError(["reseed", "found \(text)", "x,y,w,h:SEED"]) { _ = try Reseed(parsing: text) }
    }

    typealias Change = @Sendable (inout PaintRequest) throws -> Void
    static let long = String(repeating: "a", count: 16_385)
    static let unpaintable: [([String], Change)] = [
        (["region 1, x", "found -0.1", "0 to below 1"], { $0.regions?[0].rectangle.x = -0.1 }),
        (["region 1, x", "found 1.0"], { $0.regions?[0].rectangle.x = 1 }),
        (["region 1, y", "found nan"], { $0.regions?[0].rectangle.y = .nan }),
        (["region 1, width", "found 0.0", "above 0"], { $0.regions?[0].rectangle.width = 0 }),
        (["region 1, width", "found 0.8", "as x is 0.25, at most 0.75"], { $0.regions?[0].rectangle.width = 0.8 }),
        (["region 1, height", "found inf"], { $0.regions?[0].rectangle.height = .infinity }),
        (["region 1, height", "found nan"], { $0.regions?[0].rectangle.height = .nan }),
        (["region 1, feather", "found -1.0", "0 to 1"], { $0.regions?[0].feather = -1 }),
        (["region 1, feather", "found nan"], { $0.regions?[0].feather = .nan }),
        (["region 1, guidance", "found 31.0", "0 to 30"], { $0.regions?[0].content.guidance = 31 }),
        (["region 1, guidance", "found nan"], { $0.regions?[0].content.guidance = .nan }),
        (["region 1, prompt", "16385 bytes", "16384"], { $0.regions?[0].content.prompt = long }),
        (["region 1, negative prompt", "16385 bytes"], { $0.regions?[0].content.negativePrompt = long }),
        (["regions", "found 65", "0 to 64"], { $0.regions = Array(repeating: region, count: 65) }),
        (
            ["regions", "found 65", "0 to 64"],
            {
                $0.regions = Array(repeating: region, count: 64)
                $0.map = try RegionMap(width: 1, height: 1, cells: [0], contents: [nil])
            }
        ),
        (["reseed 2, width", "found 0.6"], { $0.reseeds = [good, Reseed(outside, seed: 1)] }),
        (["reseeds", "found 65", "0 to 64"], { $0.reseeds = Array(repeating: good, count: 65) }),
    ]
    static let region = PaintRegion(
        RegionContent(prompt: "b"), in: PictureRectangle(x: 0.25, y: 0.25, width: 0.5, height: 0.5))
    static let good = Reseed(PictureRectangle(x: 0, y: 0, width: 1, height: 1), seed: 1)
    static let outside = PictureRectangle(x: 0.5, y: 0, width: 0.6, height: 1)

    @Test(arguments: unpaintable) func `a region that cannot be painted is refused by the name of its field`(
        parts: [String], change: Change
    ) throws {
        var request = PaintRequest(prompt: "a", size: PixelSize(width: 64, height: 64))
        request.regions = [Self.region]
        try request.validate()
        try change(&request)
        expectError(parts) { try request.validate() }
    }

    static let maps: [([String], Int, Int, Int, UInt8, Int, Double)] = [
        (["map, width", "found 0 cells", "1 to 512"], 0, 1, 0, 0, 1, 0),
        (["map, height", "found 513 cells"], 1, 513, 513, 0, 1, 0),
        (["map", "found 3 cells", "expected 4"], 2, 2, 3, 0, 1, 0),
        (["map", "found 0 contents", "1 to 64"], 2, 2, 4, 0, 0, 0),
        (["map", "found 65 contents"], 2, 2, 4, 0, 65, 0),
        (["map, cell 0", "found content 2", "0 to 1"], 2, 2, 4, 2, 2, 0),
        (["map, feather", "found nan"], 2, 2, 4, 0, 1, .nan),
    ]

    @Test(arguments: maps) func `a map that is none is refused`(
        parts: [String], width: Int, height: Int, cells: Int, cell: UInt8, contents: Int, feather: Double
    ) {
        expectError(parts) {
            _ = try RegionMap(
                width: width, height: height, cells: [UInt8](repeating: cell, count: cells),
                contents: Array(repeating: nil, count: contents), feather: feather)
        }
    }

    @Test func `a request with regions comes back from JSON as it was`() throws {
        for request in try RegionTests.compositions() {
            let data = try JSONEncoder().encode(request)
            #expect(try JSONDecoder().decode(PaintRequest.self, from: data) == request)
        }
    }

    @Test func `a map is stored as runs`() throws {
        let map = try RegionMap(
            width: 3, height: 4, cells: [0, 0, 1, 0, 0, 1, 2, 2, 2, 0, 1, 2],
            contents: [nil, RegionContent(prompt: "a"), RegionContent(prompt: "b", seed: 4)], feather: 0.25)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(map), as: UTF8.self)
        let contents = #"[null,{"prompt":"a"},{"prompt":"b","seed":4}]"#
        let rows = #"["2*0x2,1x1","1*2x3","1*0x1,1x1,2x1"]"#
        #expect(text == #"{"contents":\#(contents),"feather":0.25,"height":4,"rows":\#(rows),"width":3}"#)
        #expect(try JSONDecoder().decode(RegionMap.self, from: Data(text.utf8)) == map)
    }

    @Test(arguments: [
        "[]", #"["1*0x2"]"#, #"["2*0x2","1*0x2"]"#, #"["2*0x1"]"#, #"["2*0x3"]"#, #"["2*0x1,0x2"]"#, #"["2*9x2"]"#,
        #"["0*0x2"]"#, #"["2*300x2"]"#, #"["2"]"#, #"["2*"]"#, #"["2*0x-2,0x4"]"#, #"["999999999999*0x2"]"#, "7",
        #"["2*0x999999999999"]"#,
    ])
    func `a stored map that was tampered with is refused`(rows: String) {
        let text = #"{"contents":[null],"feather":0,"height":2,"rows":\#(rows),"width":2}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(RegionMap.self, from: Data(text.utf8)) }
    }

    @Test func `requests that were stored before there were regions can be read`() throws {
        let text = #"""
            {"prompt":"a","negativePrompt":"","size":{"width":64,"height":64},"seed":1,"bridges":["consensus"]}
            """#
        #expect(try JSONDecoder().decode(PaintRequest.self, from: Data(text.utf8)).regions == nil)
    }

    private func expectError(_ parts: [String], _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("nothing was refused")
        } catch {
            for part in parts { #expect("\(error)".contains(part), "\(error)") }
        }
    }
}
