import Foundation

/// A new directory that disappears with this object.
final class TemporaryDirectory {
    let path: String

    /// Makes the directory, on a RAM disk if asked for and there is one: disks take their time over thousands of files.
    init(inMemory: Bool = false) throws {
        let usesMemory = inMemory && FileManager.default.isWritableFile(atPath: "/dev/shm")
        let parent = usesMemory ? URL(fileURLWithPath: "/dev/shm") : FileManager.default.temporaryDirectory
        let url = parent.appending(path: "choir-tensor-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file and returns its path.
    func write(_ bytes: [UInt8], to name: String = "file") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    /// The names of all files in it, hidden ones too.
    func contents() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}

func bytes(at path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}
