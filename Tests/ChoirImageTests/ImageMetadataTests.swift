import Foundation
import Testing

@testable import ChoirImage

struct ImageMetadataTests {
    private static let texts = [
        ImageMetadata(parameters: "plain\nSteps: 1, Seed: 2, Size: 1x1", choir: "{\"seed\":2}"),
        ImageMetadata(parameters: "café 日本 👩‍🚀 <a & b> \"q\" 'r'\ttab\r\n&amp;", choir: "{\"prompt\":\"日本 & <x>\"}"),
        ImageMetadata(parameters: "only parameters"),
        ImageMetadata(choir: "{\"only\":true}"),
        ImageMetadata(parameters: String(repeating: "long ", count: 4000), choir: "{}"),
        ImageMetadata(),
    ]

    @Test(arguments: ["a.png", "a.tif", "a.jpg", "a.webp", "a.dzi"], texts)
    func `Texts come back from every format`(name: String, metadata: ImageMetadata) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file(name)
        try TestImages.write(TestImages.ramp(width: 9, height: 8), to: path, width: 9, height: 8, metadata: metadata)
        #expect(try ImageMetadata(contentsOf: path) == metadata)
    }

    @Test func `PNG chunks stand before the pixels, with the type that the text needs`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.png")
        try TestImages.write([1, 2, 3], to: path, width: 1, height: 1, metadata: .init(parameters: "é", choir: "{}"))
        let bytes = TestImages.bytes(path)
        var types: [String] = []
        var offset = 8
        while offset < bytes.count {
            let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            types.append(String(decoding: bytes[offset + 4..<offset + 8], as: UTF8.self))
            let crc = bytes[offset + 8 + length..<offset + 12 + length].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            #expect(crc == PNGTextChunks.crc32(Array(bytes[offset + 4..<offset + 8 + length])))
            offset += 12 + length
        }
        #expect(offset == bytes.count)
        #expect(Array(types.prefix(3)) == ["IHDR", "iTXt", "tEXt"])
        #expect(types.last == "IEND")
    }

    @Test func `The CRC is that of the PNG specification`() {
        // The chunk that ends every PNG file.
        #expect(PNGTextChunks.crc32(Array("IEND".utf8)) == 0xAE42_6082)
    }

    @Test func `A Latin-1 chunk of another writer is read`() throws {
        let directory = try TemporaryDirectory()
        let png = """
            iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAAEnRFWHRwYXJhbWV0ZXJzAGNhZuksIDEFX0PvAAAACklEQVR4nGNgAAAAAgAB\
            SK+kcQAAAABJRU5ErkJggg==
            """
        try Data(base64Encoded: png)!.write(to: URL(filePath: directory.file("a.png")))
        #expect(try ImageMetadata(contentsOf: directory.file("a.png")).parameters == "café, 1")
    }

    @Test func `A comment is read in both byte orders and with other character codes`() {
        // Little-endian, one entry pointing to the EXIF directory, a UTF-16LE comment of two units.
        let little: [UInt8] =
            [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x69, 0x87, 4, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0]
            + [1, 0, 0x86, 0x92, 7, 0, 12, 0, 0, 0, 44, 0, 0, 0, 0, 0, 0, 0]
        #expect(EXIFUserComment.decode(little + Array("UNICODE\0h\0i\0".utf8)) == "hi")
        #expect(EXIFUserComment.decode(little + Array("UNICODE\0\0h\0i".utf8)) == "hi")
        #expect(EXIFUserComment.decode(little + Array("ASCII\0\0\0hiya".utf8)) == "hiya")
        #expect(EXIFUserComment.decode(little + Array("JIS\0\0\0\0\0hiya".utf8)) == nil)
        #expect(EXIFUserComment.decode(EXIFUserComment.encode("日本 hi")) == "日本 hi")
    }

    @Test func `Mutated blocks and packets never trap`() {
        var generator = TestGenerator(state: 11)
        let block = EXIFUserComment.encode("hello 日本")
        let packet = XMPPacket.encode(Self.texts[1])
        for _ in 0..<10_000 {
            for (bytes, decode) in [
                (block, { (bytes: [UInt8]) in _ = EXIFUserComment.decode(bytes) }),
                (packet, { (bytes: [UInt8]) in _ = XMPPacket.decode(bytes) }),
            ] {
                var mutated = Array(bytes.suffix(300))
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    mutated[Int.random(in: 0..<mutated.count, using: &generator)] = .random(
                        in: 0...255,
                        using: &generator
                    )
                }
                mutated.removeLast(Int.random(in: 0...mutated.count, using: &generator) / 4)
                decode(mutated)
            }
        }
    }

    @Test(arguments: [
        ("a.jpg", 40_000, "60000"), ("a.png", ImageMetadata.maximumBytes + 1, "at most"),
        ("a.png", -1, "zero character"),
    ])
    func `Texts that cannot be stored are refused up front`(name: String, count: Int, expected: String) throws {
        let directory = try TemporaryDirectory()
        let text = count < 0 ? "a\0b" : String(repeating: "x", count: count)
        let error = #expect(throws: ImageError.self) {
            try ImageWriter(path: directory.file(name), width: 1, height: 1, metadata: .init(parameters: text))
        }
        #expect(error?.code == .invalidMetadata)
        #expect(error?.message.contains(expected) == true)
        #expect(directory.names.isEmpty)
    }

    @Test func `The largest text that a JPEG accepts comes back`() throws {
        let directory = try TemporaryDirectory()
        let metadata = ImageMetadata(parameters: String(repeating: "x", count: (60_000 - 58) / 2), choir: "{}")
        try TestImages.write([1, 2, 3], to: directory.file("a.jpg"), width: 1, height: 1, metadata: metadata)
        #expect(try ImageMetadata(contentsOf: directory.file("a.jpg")) == metadata)
        let empty = XMPPacket.encode(ImageMetadata(choir: "")).count
        let request = ImageMetadata(choir: String(repeating: "x", count: 60_000 - empty))
        try TestImages.write([1, 2, 3], to: directory.file("b.jpg"), width: 1, height: 1, metadata: request)
        #expect(try ImageMetadata(contentsOf: directory.file("b.jpg")) == request)
    }

    @Test func `A damaged pyramid sidecar is named`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.dzi")
        try TestImages.write([1, 2, 3], to: path, width: 1, height: 1, metadata: .init(choir: "{}"))
        try Data("{".utf8).write(to: URL(filePath: directory.file("a_files/choir.json")))
        let error = #expect(throws: ImageError.self) { try ImageMetadata(contentsOf: path) }
        #expect(error?.code == .invalidMetadata)
        #expect(throws: ImageError.self) { try ImageMetadata(contentsOf: directory.file("missing.dzi")) }
    }
}
