import Glibc

/// What the engine does not tell of the processor.
enum Processor {
    /// False for Intel processors that have bf16 arithmetic in AVX-512 only, where it is slower than f32.
    static let computesFasterInBF16: Bool = {
        guard let file = fopen("/proc/cpuinfo", "r") else { return true }
        defer { fclose(file) }
        var isIntel = false
        var line = [CChar](repeating: 0, count: 1 << 14)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.hasPrefix("vendor_id") { isIntel = text.contains("GenuineIntel") }
            if text.hasPrefix("flags") { return !isIntel || text.contains(" amx_bf16 ") }
        }
        return true
    }()
}
