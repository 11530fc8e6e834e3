internal import CVips

/// The SHA-256 of an image's pixels, fed in pieces.
///
/// The digest covers the bytes of all rows from the top, pixel by pixel, channel by channel; 16-bit values count with
/// their more significant byte first. It says nothing of size or format, and does not depend on how the rows are cut
/// into strips. The corresponding C type is `GChecksum`.
public final class PixelDigest {
    private let checksum: OpaquePointer
    private var isFinished = false

    /// An empty digest.
    public init() {
        // Never NULL: GLib aborts when memory is short, and SHA-256 is always built in.
        checksum = g_checksum_new(G_CHECKSUM_SHA256)
    }

    deinit { g_checksum_free(checksum) }

    /// Appends bytes.
    public func update(_ bytes: Span<UInt8>) {
        precondition(!isFinished, "a finished digest takes no more bytes")
        bytes.withUnsafeBufferPointer { g_checksum_update(checksum, $0.baseAddress, $0.count) }
    }

    /// The digest as 64 hexadecimal digits; nothing may be appended afterwards.
    public func finish() -> String {
        isFinished = true
        return String(cString: g_checksum_get_string(checksum))
    }
}
