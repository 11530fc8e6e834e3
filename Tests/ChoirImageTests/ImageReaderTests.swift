import ChoirImage
import Foundation
import Testing

struct ImageReaderTests {
    @Test(arguments: [
        (
            "transparency over black",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAGklEQVR4nGM8kWL0n4GBgZGJgYGh0WLOOQYAK30Ehb242PcAAAAASUVORK5CYII=",
            [200, 100, 50, 0, 0, 0, 100, 50, 25, 0, 0, 0]
        ),
        (
            "grey with transparency",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAQAAABeK7cBAAAADUlEQVR4nGOM+s/ACAAEcAFc3p/l2AAAAABJRU5ErkJggg==",
            [90, 90, 90, 0, 0, 0]
        ),
        (
            "palette",
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAQMAAADO7O3JAAAABlBMVEUBAgP68ObjyMYSAAAACklEQVR4nGNwAAAAQgBBKTf07wAAAABJRU5ErkJggg==",
            [1, 2, 3, 250, 240, 230]
        ),
    ])
    func `Other kinds of PNG become RGB`(name: String, base64: String, expected: [Int]) throws {
        let directory = try TemporaryDirectory()
        try Data(base64Encoded: base64)!.write(to: URL(filePath: directory.file("a.png")))
        let pixels = try TestImages.read(directory.file("a.png"))
        #expect(pixels.map(Int.init) == expected)
    }

    @Test func `Rows come in strips of any height`() throws {
        let directory = try TemporaryDirectory()
        let pixels = TestImages.noise(3 * 20 * 50)
        // A name that libvips would take for options.
        let path = directory.file("odd [shrink=2].tif")
        try TestImages.write(pixels, to: path, width: 20, height: 50)
        let reader = try ImageReader(path: path)
        #expect(reader.width == 20)
        #expect(reader.height == 50)
        var read: [UInt8] = []
        for count in [1, 30, 7, 100] { read += try reader.readRows(count) }
        #expect(reader.nextRow == 50)
        #expect(read == pixels)
        #expect(try reader.readRows(1).isEmpty)
    }

    @Test(arguments: ["a.png", "a.tif", "a.jpg", "a.webp"], [1, 10, 60, 400, 3000])
    func `A truncated file is an error, never pixels that were not there`(name: String, kept: Int) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file(name)
        try TestImages.write(TestImages.noise(3 * 200 * 200), to: path, width: 200, height: 200)
        try Data(TestImages.bytes(path).prefix(kept)).write(to: URL(filePath: path))
        let error = #expect(throws: ImageError.self) { try TestImages.read(path) }
        #expect(error?.description.contains("\n") == false)
        #expect([.damaged, .unsupportedFormat].contains(error?.code))
    }

    @Test(arguments: ["a.png", "a.tif", "a.jpg", "a.webp"])
    func `Mutated files are pixels or an error, never a crash`(name: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file(name)
        let metadata = ImageMetadata(parameters: "hé", choir: "{}")
        try TestImages.write(TestImages.noise(3 * 16 * 16), to: path, width: 16, height: 16, metadata: metadata)
        let bytes = TestImages.bytes(path)
        var generator = TestGenerator(state: 5)
        var errors = 0
        for _ in 0..<300 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                mutated[Int.random(in: 0..<mutated.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            try Data(mutated).write(to: URL(filePath: path))
            do {
                let reader = try ImageReader(path: path, maximumPixels: 1 << 20)
                while !(try reader.readRows(5).isEmpty) {}
            } catch {
                #expect(!error.description.contains("\n"))
                errors += 1
            }
        }
        #expect(errors > 0)
    }

    @Test func `A picture with too many pixels is refused by its header`() throws {
        let directory = try TemporaryDirectory()
        try TestImages.write([UInt8](repeating: 0, count: 3 * 64), to: directory.file("a.png"), width: 8, height: 8)
        #expect(try ImageReader(path: directory.file("a.png"), maximumPixels: 64).width == 8)
        let error = #expect(throws: ImageError.self) {
            try ImageReader(path: directory.file("a.png"), maximumPixels: 63)
        }
        #expect(error?.code == .invalidSize)
    }

    @Test func `What is not an image is refused in one sentence`() throws {
        let directory = try TemporaryDirectory()
        let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'></svg>"
        for (name, text) in [("a.png", "hello"), ("empty.png", ""), ("a.svg", svg), ("b.png", "\u{89}PNG")] {
            try Data(text.utf8).write(to: URL(filePath: directory.file(name)))
            let error = #expect(throws: ImageError.self) { try ImageReader(path: directory.file(name)) }
            #expect(error?.code == .unsupportedFormat)
            #expect(error?.description.contains("\n") == false)
        }
        for path in [directory.file("missing.png"), directory.path, "/dev/zero"] {
            let error = #expect(throws: ImageError.self) { try ImageReader(path: path) }
            #expect(error?.code == .fileSystem, "\(path)")
        }
    }

    @Test func `A failure does not speak of an earlier one`() throws {
        let directory = try TemporaryDirectory()
        try Data("nonsense".utf8).write(to: URL(filePath: directory.file("first.png")))
        let first = #expect(throws: ImageError.self) { try ImageReader(path: directory.file("first.png")) }
        let second = #expect(throws: ImageError.self) { try ImageReader(path: directory.file("first.png")) }
        #expect(first == second)
    }
}
