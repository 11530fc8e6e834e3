import Choir
import ChoirEngine
import Foundation
import Testing

/// Maps and legends as files.
@Suite struct RegionMapTests {
    /// A directory that goes with its test.
    private final class Folder {
        let path = NSTemporaryDirectory() + "choir-map-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ data: Data, to name: String) throws -> String {
            try data.write(to: URL(fileURLWithPath: path + "/" + name))
            return path + "/" + name
        }

        /// Reads a picture whose pixels are numbers 0xrrggbb.
        func map(_ width: Int, _ height: Int, legend: String, pixel: (Int, Int) -> UInt32) throws -> RegionMap {
            var data = Data("P6\n\(width) \(height)\n255\n".utf8)
            for y in 0..<height {
                for x in 0..<width {
                    let color = pixel(x, y)
                    data.append(contentsOf: [UInt8(color >> 16), UInt8(color >> 8 & 255), UInt8(color & 255)])
                }
            }
            let legend = try MapLegend(path: write(Data(legend.utf8), to: "legend.json"))
            return try RegionMap(contentsOf: write(data, to: "map.ppm"), legend: legend)
        }
    }

    @Test func `colours become contents in the order of their numbers`() throws {
        let folder = try Folder()
        let legend = """
            {"#CC2222": "red nebula", "#000000": null, "feather": 0.2,
             "#2244cc": {"prompt": "blue", "guidance": 4, "seed": 18446744073709551615, "negative": "stars"}}
            """
        let map = try folder.map(3, 2, legend: legend) { x, y in
            // Within the tolerance of 32 on each channel.
            [[0x000000, 0x201f10, 0xcc2222], [0x2244cc, 0x0264ec, 0xec0202]][y][x]
        }
        #expect((map.width, map.height) == (3, 2))
        #expect(map.cells == [0, 0, 2, 1, 1, 2])
        #expect(map.feather == 0.2)
        #expect(
            map.contents == [
                nil, RegionContent(prompt: "blue", negativePrompt: "stars", guidance: 4, seed: .max),
                RegionContent(prompt: "red nebula"),
            ])
    }

    @Test func `a large map is reduced to what most pixels of each cell stand for`() throws {
        let folder = try Folder()
        let map = try folder.map(1536, 300, legend: ##"{"#000000": "a", "#ffffff": "b"}"##) { x, y in
            // Two of three columns in the left half are black, one of three in the right; one row has gaps.
            let isBlack = x < 768 ? x % 3 != 0 : x % 3 == 0
            return isBlack && (y != 7 || x % 3 != 1) ? 0 : 0xffffff
        }
        #expect((map.width, map.height) == (512, 100))
        let right = map.cells.indices.allSatisfy { map.cells[$0] == ($0 % 512 < 256 ? 0 : 1) }
        #expect(right)
    }

    @Test func `a colour that the legend does not have is named with its place`() throws {
        let folder = try Folder()
        let legend = ##"{"tolerance": 4, "#000000": "a", "#ffffff": {"prompt": "b", "tolerance": 255}}"##
        // Nearer to white, which takes everything; nearer to black, which takes next to nothing.
        #expect(try folder.map(1, 1, legend: legend) { _, _ in 0x80ff80 }.cells == [1])
        do {
            _ = try folder.map(9, 80, legend: legend) { x, y in x == 5 && y == 70 ? 0x051004 : 0 }
            Issue.record("a map with a colour of its own was read")
        } catch let error as MapError {
            #expect(error.description.hasSuffix("map.ppm: " + error.message))
            #expect(error.message.contains("#051004 at 5, 70"))
            #expect(error.message.contains("#000000, with a tolerance of 4"))
        }
    }

    static let legends: [(String, String)] = [
        ("", "no JSON"), ("[]", "this is no legend: Expected"), ("{}", "found no colour"),
        (##"{"#12345": "a"}"##, "#12345: expected a colour such as #cc2222"),
        (##"{"#-12345": "a"}"##, "#-12345: expected a colour"), (##"{"red": "a"}"##, "red: expected a colour"),
        (##"{"#aabbcc": "a", "#AABBCC": "b"}"##, "the colour is there twice"),
        (##"{"#aabbcc": 7}"##, "#aabbcc"), (##"{"#aabbcc": {}}"##, "#aabbcc.prompt is missing"),
        (##"{"#aabbcc": {"prompt": "a", "sead": 1}}"##, "#aabbcc.sead: expected one of prompt, negative"),
        (##"{"#aabbcc": {"prompt": "a", "seed": -1}}"##, "does not fit its field"),
        (##"{"#aabbcc": {"prompt": "a", "guidance": "much"}}"##, "#aabbcc.guidance"),
        (##"{"#aabbcc": {"prompt": "a", "tolerance": 256}}"##, "#aabbcc.tolerance: found 256, expected 0 to 255"),
        (##"{"#aabbcc": "a", "tolerance": -1}"##, "tolerance: found -1, expected 0 to 255"),
        (##"{"#aabbcc": "a", "feather": 2}"##, "feather: found 2.0, expected a number from 0 to 1"),
        (
            "{" + (0..<65).map { "\"#0000\(String($0 + 16, radix: 16))\": \"a\"" }.joined(separator: ",") + "}",
            "found 65 colours, expected at most 64"
        ),
    ]

    @Test(arguments: legends) func `a legend that is none is refused by its field`(text: String, part: String) throws {
        let folder = try Folder()
        let path = try folder.write(Data(text.utf8), to: "legend.json")
        do {
            _ = try MapLegend(path: path)
            Issue.record("read \(text)")
        } catch {
            #expect(error.path == path)
            #expect(error.message.contains(part), "\(error)")
        }
    }

    @Test func `files that are no map and no legend are refused by their names`() throws {
        let folder = try Folder()
        #expect(throws: MapError.self) { try MapLegend(path: folder.path + "/missing.json") }
        #expect(throws: MapError.self) { try MapLegend(path: "/dev/zero") }
        #expect(throws: MapError.self) { try MapLegend(path: folder.path) }
        let large = try folder.write(Data(repeating: 32, count: 5 << 20), to: "large.json")
        #expect(throws: MapError.self) { try MapLegend(path: large) }
        let legend = try MapLegend(path: folder.write(Data(##"{"#000000": "a"}"##.utf8), to: "legend.json"))
        for (name, data) in [("letter.png", "Dear aunt"), ("cut.ppm", "P6\n400 400\n255\nxxxxxxxxxxxx")] {
            let path = try folder.write(Data(data.utf8), to: name)
            #expect(throws: MapError.self) { try RegionMap(contentsOf: path, legend: legend) }
        }
        #expect(throws: MapError.self) { try RegionMap(contentsOf: folder.path + "/missing.png", legend: legend) }
    }

    @Test func `a content out of its range is refused`() throws {
        let folder = try Folder()
        let legend = ##"{"#000000": {"prompt": "a", "guidance": 31}}"##
        do {
            _ = try folder.map(1, 1, legend: legend) { _, _ in 0 }
            Issue.record("guidance 31 was taken")
        } catch let error as MapError {
            #expect(error.message.contains("guidance") && error.message.contains("0 to 30"))
        }
    }
}
