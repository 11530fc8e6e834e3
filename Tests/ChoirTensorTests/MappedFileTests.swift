import ChoirTensor
import Foundation
import Testing

@Suite struct MappedFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `a map has the bytes of the file`() throws {
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        let file = try MappedFile(path: directory.write(content))
        #expect(Array(file.bytes) == content)
        let (count, last) = file.withBytes { span in
            (span.byteCount, span.unsafeLoad(fromByteOffset: 9_999, as: UInt8.self))
        }
        #expect(count == 10_000 && last == content[9_999])
    }

    @Test func `an empty file maps to no bytes`() throws {
        let file = try MappedFile(path: directory.write([]))
        #expect(file.bytes.isEmpty)
        #expect(file.withBytes { $0.byteCount } == 0)
    }

    @Test func `the mapping goes with the last reference`() throws {
        let path = try directory.write([UInt8](repeating: 1, count: 4096), to: "mapped-once")
        func isMapped() throws -> Bool {
            // Foundation's whole-file readers stop after the first page of a /proc file.
            let maps = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps"))
            defer { try? maps.close() }
            var text = Data()
            while let chunk = try maps.read(upToCount: 1 << 16), !chunk.isEmpty { text += chunk }
            return text.range(of: Data(path.utf8)) != nil
        }
        do {
            let file = try MappedFile(path: path)
            #expect(try isMapped())
            withExtendedLifetime(file) {}
        }
        #expect(try !isMapped())
    }

    @Test(arguments: [
        ("missing", "No such file or directory"), ("folder", "regular file"), ("fifo", "regular file"),
        ("nul\0", "NUL"),
    ])
    func `what is not a readable regular file is refused`(name: String, reason: String) throws {
        try FileManager.default.createDirectory(atPath: directory.file("folder"), withIntermediateDirectories: false)
        #expect(mkfifo(directory.file("fifo"), 0o600) == 0)
        let error = #expect(throws: FileError.self) { try MappedFile(path: directory.file(name)) }
        #expect(error?.description.contains(reason) == true)
        #expect(error?.description.contains(directory.path) == true)
    }
}
