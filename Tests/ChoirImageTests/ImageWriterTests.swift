import ChoirImage
import Foundation
import Testing

struct ImageWriterTests {
    @Test(arguments: [("a.png", false), ("a.tif", false), ("a.TIFF", false), ("a.webp", true)])
    func `Lossless formats give back every pixel and the known digest`(name: String, isLossless: Bool) throws {
        let directory = try TemporaryDirectory()
        let pixels = TestImages.noise(3 * 301 * 517, amplitude: 255)
        let digest = try TestImages.write(
            pixels,
            to: directory.file(name),
            width: 301,
            height: 517,
            options: .init(isLossless: isLossless)
        )
        #expect(try TestImages.read(directory.file(name)) == pixels)
        let expected = PixelDigest()
        expected.update(pixels.span)
        #expect(digest == expected.finish())
        #expect(directory.names == [name])
    }

    @Test(arguments: ["a.jpg", "a.jpeg", "a.webp"])
    func `Lossy formats stay within a few levels`(name: String) throws {
        let directory = try TemporaryDirectory()
        let pixels = TestImages.ramp(width: 200, height: 150)
        try TestImages.write(pixels, to: directory.file(name), width: 200, height: 150)
        let difference = zip(try TestImages.read(directory.file(name)), pixels).map { abs(Int($0) - Int($1)) }
        #expect(difference.count == pixels.count)
        #expect(difference.max()! <= 8)
    }

    @Test(arguments: ["grey.png", "grey.tif", "grey.jpg"])
    func `Grey images read as RGB with equal channels`(name: String) throws {
        let directory = try TemporaryDirectory()
        let pixels = (0..<40 * 30).map { UInt8(60 + $0 / 40) }
        let writer = try ImageWriter(path: directory.file(name), width: 40, height: 30, channels: 1)
        try writer.write(strip: pixels)
        try writer.finish()
        #expect(try ImageReader(path: directory.file(name)).channels == 1)
        let tolerance = name == "grey.jpg" ? 2 : 0
        let difference = try TestImages.read(directory.file(name)).enumerated().map { index, value in
            abs(Int(value) - Int(pixels[index / 3]))
        }
        #expect(difference.max()! <= tolerance)
    }

    @Test(arguments: ["deep.png", "deep.tif"])
    func `Sixteen bits are stored whole, digested big-endian and read as their upper byte`(name: String) throws {
        let directory = try TemporaryDirectory()
        var generator = TestGenerator(state: 3)
        // More than one of the writer's parts of 65,536 values.
        let pixels = (0..<3 * 200 * 150).map { _ in UInt16(truncatingIfNeeded: generator.next()) }
        let writer = try ImageWriter(path: directory.file(name), width: 200, height: 150, bitDepth: 16)
        try writer.write(strip: pixels)
        let digest = try writer.finish()
        let expected = PixelDigest()
        let bigEndian = pixels.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        expected.update(bigEndian.span)
        #expect(digest == expected.finish())
        #expect(try ImageReader(path: directory.file(name)).bitDepth == 16)
        #expect(try TestImages.read(directory.file(name)) == pixels.map { UInt8($0 >> 8) })
    }

    @Test func `The digest is SHA-256`() {
        let digest = PixelDigest()
        digest.update(Array("a".utf8).span)
        digest.update(Array("bc".utf8).span)
        // FIPS 180-2, appendix B.1.
        #expect(digest.finish() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test(arguments: ["a.png", "a.tif", "a.jpg", "a.webp", "a.dzi"])
    func `Strip heights change neither the digest nor the file`(name: String) throws {
        let directory = try TemporaryDirectory()
        let pixels = TestImages.noise(3 * 300 * 301)
        let whole = try TestImages.write(pixels, to: directory.file(name), width: 300, height: 301)
        let wholeFile = TestImages.bytes(directory.file(name))
        let writer = try ImageWriter(path: directory.file(name), width: 300, height: 301)
        var row = 0
        for height in [1, 2, 0, 64, 100, 134] {
            try writer.write(strip: Array(pixels[(3 * 300 * row)..<(3 * 300 * (row + height))]))
            row += height
        }
        #expect(try writer.finish() == whole)
        #expect(TestImages.bytes(directory.file(name)) == wholeFile)
    }

    @Test func `A Deep Zoom pyramid replaces an older one whole`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("sky.dzi")
        for (width, height) in [(700, 520), (300, 200)] {
            let metadata = ImageMetadata(parameters: "width \(width)", choir: "{}")
            try TestImages.write(
                TestImages.ramp(width: width, height: height),
                to: path,
                width: width,
                height: height,
                metadata: metadata
            )
            #expect(directory.names == ["sky.dzi", "sky_files"])
            let text = String(decoding: TestImages.bytes(path), as: UTF8.self)
            #expect(text.contains("Height=\"\(height)\""))
            #expect(text.contains("Width=\"\(width)\""))
            #expect(try ImageMetadata(contentsOf: path) == metadata)
        }
        // 300×200 needs 9 bits, hence levels 0 to 9; a tile is 254 pixels and overlaps by 1.
        #expect(FileManager.default.fileExists(atPath: directory.file("sky_files/9/1_0.jpg")))
        #expect(!FileManager.default.fileExists(atPath: directory.file("sky_files/10")))
        let tile = try ImageReader(path: directory.file("sky_files/9/0_0.jpg"))
        #expect(tile.width == 255)
        #expect(tile.height == 200)
    }

    @Test(arguments: ["a.png", "a.tif", "a.jpg", "a.webp", "a.dzi"])
    func `A writer that is dropped unfinished leaves the old file and nothing else`(name: String) throws {
        let directory = try TemporaryDirectory()
        let pixels = TestImages.ramp(width: 300, height: 300)
        try TestImages.write(pixels, to: directory.file(name), width: 300, height: 300)
        let names = directory.names
        let old = TestImages.bytes(directory.file(name))
        do {
            let writer = try ImageWriter(path: directory.file(name), width: 300, height: 300_000 / 300)
            try writer.write(strip: pixels)
            #expect(directory.names.count == names.count + 1)
            #expect(throws: ImageError.self) { try writer.finish() }
        }
        #expect(directory.names == names)
        #expect(TestImages.bytes(directory.file(name)) == old)
    }

    @Test func `What a killed process left is cleared, and its old tiles are put back`() throws {
        let directory = try TemporaryDirectory()
        let files = FileManager.default
        try TestImages.write(TestImages.ramp(width: 9, height: 9), to: directory.file("a.dzi"), width: 9, height: 9)
        let partial = directory.file(".a.dzi.partial")
        try files.createDirectory(atPath: "\(partial)/image_files/0", withIntermediateDirectories: true)
        try files.moveItem(atPath: directory.file("a_files"), toPath: "\(partial)/previous")
        do { _ = try ImageWriter(path: directory.file("a.dzi"), width: 9, height: 9) }
        #expect(directory.names == ["a.dzi", "a_files"])
        #expect(files.fileExists(atPath: directory.file("a_files/4/0_0.jpg")))
    }

    @Test func `Two writers of one file do not meet`() throws {
        let directory = try TemporaryDirectory()
        let first = try ImageWriter(path: directory.file("a.png"), width: 2, height: 1)
        let error = #expect(throws: ImageError.self) {
            try ImageWriter(path: directory.file("a.png"), width: 2, height: 1)
        }
        #expect(error?.message.contains("is writing it") == true)
        try first.write(strip: [1, 2, 3, 4, 5, 6] as [UInt8])
        try first.finish()
        #expect(try TestImages.read(directory.file("a.png")) == [1, 2, 3, 4, 5, 6])
    }

    @Test func `A symbolic link is followed and the mode of the old file kept`() throws {
        let directory = try TemporaryDirectory()
        let files = FileManager.default
        try TestImages.write([1, 2, 3], to: directory.file("real.png"), width: 1, height: 1)
        try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: directory.file("real.png"))
        try files.createSymbolicLink(atPath: directory.file("link.png"), withDestinationPath: "real.png")
        try TestImages.write([4, 5, 6], to: directory.file("link.png"), width: 1, height: 1)
        #expect(try TestImages.read(directory.file("real.png")) == [4, 5, 6])
        #expect(try files.destinationOfSymbolicLink(atPath: directory.file("link.png")) == "real.png")
        let mode = try files.attributesOfItem(atPath: directory.file("real.png"))[.posixPermissions] as? Int
        #expect(mode == 0o640)
    }

    @Test(arguments: [
        ("a.gif", 4, 4, "expected one of .png, .tif, .tiff, .jpg, .jpeg, .webp, .dzi"),
        ("noending", 4, 4, "the file name has no ending"),
        ("a.png", 0, 4, "width 0"), ("a.png", 4, -1, "height -1"), ("a.png", Int.max, Int.max, "width 92233"),
        ("a.jpg", 65_536, 4, "65535"), ("a.webp", 4, 16_384, "16383"), ("a.tif", 4, 10_000_001, "10000000"),
        ("missing/a.png", 4, 4, "No such file or directory"),
    ])
    func `Impossible requests are refused in one sentence`(
        name: String,
        width: Int,
        height: Int,
        expected: String
    ) throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: ImageError.self) {
            try ImageWriter(path: directory.file(name), width: width, height: height)
        }
        #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
        #expect(directory.names.isEmpty)
    }

    @Test(arguments: [(2, 8, "a.png"), (3, 12, "a.png"), (3, 16, "a.jpg"), (3, 16, "a.webp"), (3, 16, "a.dzi")])
    func `Impossible channels and depths are refused`(channels: Int, bitDepth: Int, name: String) throws {
        let directory = try TemporaryDirectory()
        #expect(throws: ImageError.self) {
            try ImageWriter(path: directory.file(name), width: 4, height: 4, channels: channels, bitDepth: bitDepth)
        }
    }

    @Test(arguments: [ImageOptions(quality: 0), ImageOptions(quality: 101), ImageOptions(pngCompression: 10)])
    func `Options out of range are refused`(options: ImageOptions) throws {
        let directory = try TemporaryDirectory()
        #expect(throws: ImageError.self) {
            try ImageWriter(path: directory.file("a.png"), width: 4, height: 4, options: options)
        }
    }

    @Test func `Places that cannot be written are refused in one sentence`() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("dir.png"), withIntermediateDirectories: false)
        try TestImages.create(directory.file("b_files"))
        try TestImages.create(directory.file(".c.png.partial"))
        let places = ["dir.png", "b.dzi", "c.png"].map(directory.file) + ["/proc/a.png", "/dev/null/a.png"]
        for path in places {
            let error = #expect(throws: ImageError.self) { try ImageWriter(path: path, width: 4, height: 4) }
            #expect(error?.code == .fileSystem, "\(String(describing: error))")
        }
        #expect(directory.names == [".c.png.partial", "b_files", "dir.png"])
    }

    @Test func `Strips that do not fit are refused and the writer goes on`() throws {
        let directory = try TemporaryDirectory()
        let writer = try ImageWriter(path: directory.file("a.png"), width: 2, height: 2)
        #expect(throws: ImageError.self) { try writer.write(strip: [1, 2, 3] as [UInt8]) }
        #expect(throws: ImageError.self) { try writer.write(strip: [UInt16](repeating: 0, count: 6)) }
        #expect(throws: ImageError.self) { try writer.write(strip: [UInt8](repeating: 0, count: 18)) }
        try writer.write(strip: [UInt8](repeating: 9, count: 6))
        #expect(throws: ImageError.self) { try writer.finish() }
        try writer.write(strip: [UInt8](repeating: 9, count: 6))
        try writer.finish()
        #expect(throws: ImageError.self) { try writer.finish() }
        #expect(try TestImages.read(directory.file("a.png")) == [UInt8](repeating: 9, count: 12))
    }

    @Test(
        .enabled(if: TinyDisk.isAvailable, "needs to be root and allowed to mount"),
        arguments: ["a.png", "a.tif", "a.jpg", "a.webp", "a.dzi"],
        [false, true]
    )
    func `A full disk is named, the old file kept and nothing left`(name: String, isLate: Bool) throws {
        let disk = try TinyDisk(kilobytes: 512)
        let path = "\(disk.path)/\(name)"
        let side = 250
        let pixels = TestImages.noise(3 * side * side, amplitude: 255)
        try TestImages.write(pixels, to: path, width: side, height: side)
        let needed = TestImages.bytes(path).count
        try TestImages.write(TestImages.ramp(width: 20, height: 20), to: path, width: 20, height: 20)
        let old = TestImages.bytes(path)
        // Room for nearly nothing, or (not for a pyramid, whose tiles are files of their own) for all but the end.
        let room = isLate ? max(needed - 8192, 16_384) : 16_384
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: disk.path)
        let free = try #require(attributes[.systemFreeSize] as? NSNumber).intValue
        try TestImages.create("\(disk.path)/filler", bytes: free - room)
        let names = try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted()
        let error = #expect(throws: ImageError.self) {
            try TestImages.write(pixels, to: path, width: side, height: side)
        }
        #expect(error?.code == .diskFull, "\(String(describing: error))")
        #expect(error?.description.contains("\n") == false)
        let left = try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted()
        #expect(left == names)
        #expect(TestImages.bytes(path) == old)
    }

    @Test func `Only a TIFF needs temporary space`() {
        for format in ImageFormat.allCases {
            let bytes = ImageWriter.temporaryBytes(format: format, width: 4096, height: 4096)
            let expected = format == .tiff ? 4096 * 4096 * 3 / 8 * 3 : 0
            #expect(bytes == expected)
        }
    }

    @Test func `The number of threads can be set within limits`() throws {
        let before = try ImageRuntime.threads
        try ImageRuntime.setThreads(2)
        #expect(try ImageRuntime.threads == 2)
        try ImageRuntime.setThreads(before)
        #expect(throws: ImageError.self) { try ImageRuntime.setThreads(0) }
    }
}
