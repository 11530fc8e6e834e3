import Glibc

/// What the engine does not tell of the processor.
enum Processor {
    /// False for Intel processors that have bf16 arithmetic in AVX-512 only, where it is slower than f32.
    static let computesFasterInBF16 = !isIntel || flags.isEmpty || flags.contains("amx_bf16")

    /// Whether its widest vectors are those of AVX2.
    static let isAVX2 = flags.contains("avx2") && !flags.contains("avx512f")

    private static let isIntel = field("vendor_id").contains("GenuineIntel")
    private static let flags = Set(field("flags").split(separator: " "))

    /// A field of the first processor in `/proc/cpuinfo`; empty where there is none.
    private static func field(_ name: String) -> String {
        guard let file = fopen("/proc/cpuinfo", "r") else { return "" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1 << 14)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.hasPrefix(name), let colon = text.firstIndex(of: ":") {
                return String(text[text.index(after: colon)...].filter { $0 != "\n" })
            }
        }
        return ""
    }
}
