import ChoirModels
import Foundation
import Testing

/// Damaged manifests are read or refused with a sentence about the file; nothing crashes.
@Suite struct OwnDenoiserFuzzTests {
    private static let values = [
        "0", "-1", "1", "2", "3", "16", "64", "65537", "9223372036854775807", "9223372036854775808", "1e999", "1e308",
        "-1e308", "5e-324", "0.5", "-0.0", "NaN", "null", "true", "\"\"", "\"x\"", "\"a.onnx\"", "\"\\ud800\"", "[]",
        "[1]", "[-1e308, 1e308]", "[0, 1]", "[[1]]", "{}", "{\"a\": {}}", "{\"convention\": \"flow\"}",
        "{\"convention\": \"timestep\", \"betaStart\": 0.999, \"steps\": 100000}", "{\"c\": {\"value\": 1}}",
        "{\"c\": {\"shape\": [65536, 65536]}}", "{\"\\u0000\": {\"value\": 1}}", "",
    ]

    @Test(arguments: [1, 2, 3])
    func `a damaged manifest is read or refused`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let originals = [OwnDenoiserManifestTests.whole, OwnDenoiserManifestTests.least]
        var (read, refused) = (0, 0)
        for round in 0..<3000 {
            var bytes = Array(originals[round % 2].utf8)
            for _ in 0..<Int.random(in: 1...2, using: &random) { Self.damage(&bytes, using: &random) }
            do throws(ModelError) {
                let manifest = try DenoiserManifest(ConfigurationFields(path: "choir.json", json: bytes))
                // Whatever was read is within the limits that all else relies on.
                #expect((16...DenoiserManifest.maximumTile).contains(manifest.tile))
                #expect(manifest.tile % manifest.alignment == 0 && (0...manifest.tile / 2).contains(manifest.overlap))
                #expect(manifest.range.upperBound > manifest.range.lowerBound && [1, 3].contains(manifest.channels))
                #expect(!manifest.file.contains("/") && manifest.sample != manifest.level)
                read += 1
            } catch {
                #expect(error.path == "choir.json" && !error.message.isEmpty)
                refused += 1
            }
        }
        // Damage that never did harm would test nothing, nor would damage that always does.
        #expect(refused > 1000 && read > 100, "\(read) read, \(refused) refused")
    }

    /// Changes a bit or a digit, cuts, repeats, or puts another value after a colon.
    private static func damage(_ bytes: inout [UInt8], using random: inout SplitMix) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1: bytes.removeLast(bytes.count - place)
        case 2: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
        case 3: bytes.insert(contentsOf: [UInt8](repeating: UInt8(ascii: "["), count: 3000), at: place)
        case 4, 5:
            let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
            guard let digit = bytes[place...].firstIndex(where: digits.contains) else { return }
            bytes[digit] = UInt8.random(in: digits, using: &random)
        default:
            guard let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")) else { return }
            let end = bytes[colon...].firstIndex { [UInt8(ascii: ","), UInt8(ascii: "}")].contains($0) } ?? bytes.count
            let value = values.randomElement(using: &random) ?? ""
            bytes.replaceSubrange(colon + 1..<end, with: Array(value.utf8))
        }
    }

    /// A small seeded generator (Steele, Lea, Flood 2014).
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
