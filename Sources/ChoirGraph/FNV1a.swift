/// The 64-bit hash FNV-1a (Fowler, Noll, Vo), for names of cache entries; not for security.
package struct FNV1a {
    /// The hash of what was combined so far.
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Starts with no bytes.
    package init() {}

    /// Takes more bytes into the hash.
    package mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
