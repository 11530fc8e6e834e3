import Foundation

/// What this process holds, and what the machine still has.
public enum ProcessMemory {
    /// The most memory that the process ever held. The corresponding C function is `getrusage`.
    public static var peakResidentBytes: Int {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Int(usage.ru_maxrss) * 1024
    }

    /// Memory that new programs can have without swapping, from `/proc/meminfo`; nil if it cannot be told.
    public static var availableBytes: Int? {
        guard let file = fopen("/proc/meminfo", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let words = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                .split(separator: " ")
            if words.first == "MemAvailable:", words.count > 1 { return Int(words[1]).map { $0 * 1024 } }
        }
        return nil
    }

    /// Bytes that can be written to the file system of a path; nil if it cannot be told. The corresponding C function
    /// is `statvfs`.
    public static func freeDiskBytes(at path: String) -> Int? {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { return nil }
        return Int(information.f_bavail) * Int(information.f_frsize)
    }
}
