import ChoirTensor
import Foundation
import Testing

@Suite struct AtomicFileTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `new bytes replace old ones and nothing else is left`() throws {
        let path = directory.file("state.json")
        try AtomicFile.write("old and longer".utf8, to: path)
        try AtomicFile.write(Data("new".utf8), to: path)
        #expect(try bytes(at: path) == Array("new".utf8))
        try AtomicFile.write([UInt8](), to: path)
        #expect(try bytes(at: path).isEmpty)
        #expect(try directory.contents() == ["state.json"])
    }

    @Test func `chunks follow one another`() throws {
        let path = directory.file("chunks")
        try AtomicFile.write(to: path) { (sink) throws(FileError) in
            for chunk in 0..<100 { try sink.write([UInt8](repeating: UInt8(chunk), count: 1000)) }
        }
        #expect(try bytes(at: path) == (0..<100).flatMap { [UInt8](repeating: $0, count: 1000) })
    }

    @Test func `a failure inside the closure keeps the old file`() throws {
        let path = directory.file("kept")
        try AtomicFile.write([1, 2, 3], to: path)
        let error = #expect(throws: FileError.self) {
            try AtomicFile.write(to: path) { (sink) throws(FileError) in
                try sink.write([9])
                try AtomicFile.write([9], to: directory.file("missing/other"))
            }
        }
        #expect(error?.code == ENOENT)
        #expect(try bytes(at: path) == [1, 2, 3])
        #expect(try directory.contents() == ["kept"])
    }

    @Test func `the permissions of the old file stay`() throws {
        let path = directory.file("private")
        try AtomicFile.write([1], to: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        try AtomicFile.write([2], to: path)
        let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(permissions?.intValue == 0o600)
    }

    @Test func `a symbolic link keeps pointing at the new contents`() throws {
        let (path, link) = (directory.file("target"), directory.file("link"))
        try AtomicFile.write([1], to: path)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        try AtomicFile.write([2], to: link)
        #expect(try bytes(at: path) == [2])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
    }

    @Test(arguments: ["", "missing/file", "plain/file", "folder", "fifo", "nul\0byte"])
    func `an unwritable path is refused in one sentence`(name: String) throws {
        _ = try directory.write([5], to: "plain")
        try FileManager.default.createDirectory(atPath: directory.file("folder"), withIntermediateDirectories: false)
        #expect(mkfifo(directory.file("fifo"), 0o600) == 0)
        let before = try directory.contents()
        let path = name.isEmpty ? "" : directory.file(name)
        let error = #expect(throws: FileError.self) { try AtomicFile.write([1], to: path) }
        #expect(error?.path == path)
        #expect(error?.description.hasPrefix("cannot ") == true)
        #expect(try directory.contents() == before)
    }

    @Test func `a device is not replaced`() throws {
        #expect(throws: FileError.self) { try AtomicFile.write([1], to: "/dev/full") }
        var status = stat()
        #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    }

    @Test(.enabled(if: TinyFileSystem.isAvailable, "mounting a small tmpfs needs root"))
    func `a full disk keeps the old file and leaves no temporary one`() throws {
        let small = try TinyFileSystem()
        let path = "\(small.path)/state.safetensors"
        try SafetensorsWriter.write(tensors: ["a": .int64([1], [42])], to: path)
        let error = #expect(throws: SafetensorsError.self) {
            try SafetensorsWriter.write(tensors: ["a": .float32(Tensor(shape: [1 << 20]))], to: path)
        }
        #expect(error?.code == .writing)
        #expect(error?.description.contains("No space left on device") == true)
        #expect(try SafetensorsFile(path: path).integers("a") == [42])
        let plain = #expect(throws: FileError.self) {
            try AtomicFile.write([UInt8](repeating: 1, count: 1 << 20), to: "\(small.path)/new")
        }
        #expect(plain?.code == ENOSPC)
        #expect(try FileManager.default.contentsOfDirectory(atPath: small.path) == ["state.safetensors"])
        // The space is free again.
        try SafetensorsWriter.write(tensors: ["a": .int64([1], [43])], to: path)
        #expect(try SafetensorsFile(path: path).integers("a") == [43])
    }
}
