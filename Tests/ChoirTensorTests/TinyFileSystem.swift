import Foundation

/// A mounted tmpfs of 64 KiB, to fill up; only root can make one.
final class TinyFileSystem {
    static let isAvailable: Bool = (try? TinyFileSystem()) != nil

    /// Why mounting failed.
    struct MountError: Error {}

    let path: String
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path
        guard try Self.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path) else { throw MountError() }
    }

    deinit {
        _ = try? Self.run("umount", path)
    }

    private static func run(_ arguments: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
