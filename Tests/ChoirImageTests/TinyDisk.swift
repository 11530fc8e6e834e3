import Foundation
import Glibc

/// A mounted file system of a few kilobytes; mounting needs to be root and, in a container, to be allowed to.
final class TinyDisk {
    let path: String

    static let isAvailable: Bool = {
        guard let disk = try? TinyDisk(kilobytes: 64) else { return false }
        return FileManager.default.fileExists(atPath: disk.path)
    }()

    struct MountFailure: Error {}

    init(kilobytes: Int) throws {
        path = NSTemporaryDirectory() + "choir-disk-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
            rmdir(path)
            throw MountFailure()
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}
