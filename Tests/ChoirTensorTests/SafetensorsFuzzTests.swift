import ChoirTensor
import Foundation
import Testing

@Suite struct SafetensorsFuzzTests {
    /// One way to damage a file.
    enum Mutation: CaseIterable {
        case flipBits, flipHeaderBits, truncate, insert, delete, swapNumber, swapNames, nest, duplicateMember
    }

    static let mutationsPerKind = 1_500
    static let numbers = [
        "0", "1", "2", "3", "7", "8", "9", "15", "16", "32", "-1", "0.5", "1e3", "00", "255", "4294967296",
        "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "99999999999999999999999999999999", "null", "\"0\"", "[0]", "",
    ]

    // 9 kinds × 1,500 = 13,500 mutated files.
    @Test(arguments: Mutation.allCases)
    func `a damaged file either loads inside its bounds or is refused`(mutation: Mutation) throws {
        let directory = try TemporaryDirectory(inMemory: true)
        let original = SafetensorsFixture.everyDataType()
        var generator = SplitMix64(state: UInt64(Mutation.allCases.firstIndex(of: mutation) ?? 0))
        var (loaded, refused) = (0, 0)
        for _ in 0..<Self.mutationsPerKind {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes = Self.apply(mutation, to: bytes, using: &generator)
            }
            let path = try directory.write(bytes)
            do {
                let file = try SafetensorsFile(path: path)
                Self.check(file, byteCount: bytes.count)
                loaded += 1
            } catch {
                #expect(!error.description.isEmpty && error.path == path)
                refused += 1
            }
        }
        #expect(loaded + refused == Self.mutationsPerKind)
        // A mutation that never did harm would test nothing.
        #expect(refused > Self.mutationsPerKind / 10)
    }

    private static func check(_ file: SafetensorsFile, byteCount: Int) {
        var covered = 0
        for name in file.names {
            guard let entry = file.tensors[name] else {
                Issue.record("\(name) has no entry")
                continue
            }
            #expect(entry.fileRange.lowerBound >= 8 && entry.fileRange.upperBound <= byteCount)
            #expect(entry.fileRange.count == entry.shape.elementCount * entry.dataType.byteCount)
            covered += entry.fileRange.count
            let floats = try? file.floats(name)
            let integers = try? file.integers(name)
            #expect(floats.map { $0.elements.count == entry.shape.elementCount } ?? true)
            #expect(integers.map { $0.count == entry.shape.elementCount } ?? true)
        }
        #expect(covered <= byteCount - 8)
    }

    private static func apply(
        _ mutation: Mutation,
        to bytes: [UInt8],
        using generator: inout SplitMix64
    ) -> [UInt8] {
        guard bytes.count > 8 else { return bytes }
        var bytes = bytes
        let stated = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let headerEnd = 8 + Int(min(stated, UInt64(bytes.count - 8)))
        let header = Array(bytes[8..<headerEnd])
        switch mutation {
        case .flipBits:
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            return bytes
        case .flipHeaderBits:
            bytes[Int.random(in: 0..<headerEnd, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            return bytes
        case .truncate:
            return Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator)))
        case .insert:
            let inserted = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            // Half of them land in the header, with the length corrected, so that they get past the first check.
            guard Bool.random(using: &generator) else {
                bytes.insert(contentsOf: inserted, at: Int.random(in: 0...bytes.count, using: &generator))
                return bytes
            }
            return replace(at: Int.random(in: 0...header.count, using: &generator), count: 0, by: inserted, in: bytes)
        case .delete:
            guard !header.isEmpty else { return bytes }
            let start = Int.random(in: 0..<header.count, using: &generator)
            return replace(
                at: start,
                count: min(Int.random(in: 1...6, using: &generator), header.count - start),
                by: [],
                in: bytes
            )
        case .swapNumber:
            let runs = runs(in: header) { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let run = runs.randomElement(using: &generator) else { return bytes }
            let number = numbers.randomElement(using: &generator) ?? "0"
            return replace(at: run.lowerBound, count: run.count, by: Array(number.utf8), in: bytes)
        case .swapNames:
            let words = runs(in: header) {
                ($0 | 32) >= UInt8(ascii: "a") && ($0 | 32) <= UInt8(ascii: "z") || $0 == UInt8(ascii: "_")
            }
            guard let target = words.randomElement(using: &generator),
                let source = words.randomElement(using: &generator)
            else { return bytes }
            return replace(at: target.lowerBound, count: target.count, by: Array(header[source]), in: bytes)
        case .nest:
            let opening =
                ["[", "{", "{\"a\":", "\"", "\\", "\\u", "[[0]", "{\"a\":{}}", ","].randomElement(using: &generator)
                ?? "["
            let count = [1, 2, 100, 3000].randomElement(using: &generator) ?? 1
            let garbage = Array(String(repeating: opening, count: count).utf8)
            return replace(at: Int.random(in: 0...header.count, using: &generator), count: 0, by: garbage, in: bytes)
        case .duplicateMember:
            let member =
                [
                    "\"t.F32\":{},", "\"dtype\":\"U8\",", "\"shape\":[2],", "\"__metadata__\":{},",
                    "\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
                ].randomElement(using: &generator) ?? ""
            let braces = runs(in: header) { $0 == UInt8(ascii: "{") }
            guard let brace = braces.randomElement(using: &generator) else { return bytes }
            return replace(at: brace.upperBound, count: 0, by: Array(member.utf8), in: bytes)
        }
    }

    /// Replaces a part of the header and corrects its length.
    private static func replace(at start: Int, count: Int, by new: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        let stated = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let length = stated &+ UInt64(new.count) &- UInt64(count)
        var bytes = bytes
        bytes.replaceSubrange((8 + start)..<(8 + start + count), with: new)
        bytes.replaceSubrange(..<8, with: SafetensorsFixture.littleEndian(length))
        return bytes
    }

    private static func runs(in header: [UInt8], where matches: (UInt8) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, byte) in header.enumerated() where matches(byte) {
            if let last = runs.last, last.upperBound == index {
                runs[runs.count - 1] = last.lowerBound..<(index + 1)
            } else {
                runs.append(index..<(index + 1))
            }
        }
        return runs
    }
}
