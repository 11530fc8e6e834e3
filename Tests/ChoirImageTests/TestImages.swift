import ChoirImage
import Foundation

/// A directory that is removed with this value.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "choir-image-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// All entries, hidden ones included.
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? ["unreadable"] }
}

/// SplitMix64, so that tests repeat.
struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

enum TestImages {
    /// Independent random bytes around 128.
    static func noise(_ count: Int, seed: UInt64 = 1, amplitude: Int = 20) -> [UInt8] {
        var generator = TestGenerator(state: seed)
        return (0..<count).map { _ in
            UInt8(128 - (amplitude + 1) / 2 + Int(generator.next() >> 33) % (amplitude + 1))
        }
    }

    /// A slow colour ramp, which JPEG and WebP keep within a few levels.
    static func ramp(width: Int, height: Int) -> [UInt8] {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                pixels.append(UInt8(40 + 100 * x / width))
                pixels.append(UInt8(60 + 120 * y / height))
                pixels.append(UInt8(90 + 50 * (x + y) / (width + height)))
            }
        }
        return pixels
    }

    /// Writes an RGB image in one strip.
    @discardableResult
    static func write(
        _ pixels: [UInt8],
        to path: String,
        width: Int,
        height: Int,
        options: ImageOptions = .init(),
        metadata: ImageMetadata = .init()
    ) throws -> String {
        let writer = try ImageWriter(path: path, width: width, height: height, options: options, metadata: metadata)
        try writer.write(strip: pixels)
        return try writer.finish()
    }

    /// All rows of an image.
    static func read(_ path: String) throws -> [UInt8] {
        let reader = try ImageReader(path: path)
        var pixels: [UInt8] = []
        while true {
            let rows = try reader.readRows(7)
            if rows.isEmpty { return pixels }
            pixels += rows
        }
    }

    static func create(_ path: String, bytes: Int = 0) throws {
        try Data(count: bytes).write(to: URL(filePath: path))
    }

    static func bytes(_ path: String) -> [UInt8] { Array(FileManager.default.contents(atPath: path) ?? Data()) }
}
