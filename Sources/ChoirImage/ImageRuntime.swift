internal import CVips
import Glibc

/// The libvips library as a whole: started once per process, on first use.
public enum ImageRuntime {
    private static let failure: ImageError? = {
        guard cvips_init() == 0 else { return takeError(.library, "libvips", "does not start") }
        // Every pipeline here runs once, so remembering operations would only hold memory and files open.
        vips_cache_set_max(0)
        vips_cache_set_max_mem(0)
        vips_cache_set_max_files(0)
        // Only these readers meet files from outside; SVG, PDF, ImageMagick and the rest stay unreachable.
        vips_operation_block_set("VipsForeignLoad", 1)
        for loader in ["Png", "Jpeg", "Tiff", "Webp", "Ppm"] {
            vips_operation_block_set("VipsForeignLoad\(loader)", 0)
        }
        // What matters arrives as an error; the warnings would tear the progress display.
        g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, { _, _, _, _ in }, nil)
        return nil
    }()

    /// Starts libvips if it is not running yet.
    ///
    /// The reader and the writer do this themselves. Libvips's operation cache is emptied, and all its loaders other
    /// than PNG, JPEG, TIFF, WebP and PPM are blocked, for the whole process. The corresponding C function is
    /// `vips_init`.
    ///
    /// - Throws: `ImageError.Code.library` when the library does not start.
    public static func start() throws(ImageError) {
        if let failure { throw failure }
    }

    /// Sets how many threads libvips uses for each file that is read or written from now on.
    ///
    /// The corresponding C function is `vips_concurrency_set`.
    ///
    /// - Parameter count: Threads, at least 1.
    /// - Throws: `ImageError.Code.invalidOption` when `count` is not in 1...1024.
    public static func setThreads(_ count: Int) throws(ImageError) {
        guard (1...1024).contains(count) else {
            throw ImageError(.invalidOption, "image threads", "found \(count), expected 1 to 1024")
        }
        try start()
        vips_concurrency_set(Int32(count))
    }

    /// The number of threads that libvips uses for a file.
    public static var threads: Int {
        get throws(ImageError) {
            try start()
            return Int(vips_concurrency_get())
        }
    }

    /// Runs a C call that returns 0 on success, and otherwise throws what libvips's error buffer says.
    static func check(
        _ code: ImageError.Code,
        _ subject: String,
        _ attempt: String,
        _ call: () -> Int32
    ) throws(ImageError) {
        guard call() == 0 else { throw takeError(code, subject, attempt) }
    }

    /// Reads and clears libvips's error buffer, so that no later failure repeats an earlier one's text.
    ///
    /// The buffer is shared by all threads: two files that fail at the same instant may share their texts.
    static func takeError(_ code: ImageError.Code, _ subject: String, _ attempt: String) -> ImageError {
        let buffer = vips_error_buffer_copy()
        defer { g_free(buffer) }
        var lines: [Substring] = []
        for line in String(cStringOrEmpty: buffer).split(separator: "\n") where !lines.contains(line) {
            lines.append(line)
        }
        let reason = lines.prefix(3).joined(separator: "; ")
        return ImageError(code, subject, reason.isEmpty ? attempt : "\(attempt) (\(reason))")
    }
}

extension String {
    /// The text of a C string, empty when there is none; bytes that are not UTF-8 are repaired.
    init(cStringOrEmpty text: UnsafePointer<CChar>?) {
        if let text { self.init(cString: text) } else { self.init() }
    }
}

/// Owns one reference to a libvips object (image, region, source, target) and drops it.
struct VipsReference<Object>: ~Copyable {
    let pointer: UnsafeMutablePointer<Object>

    /// Takes ownership (+1).
    init(_ pointer: UnsafeMutablePointer<Object>) { self.pointer = pointer }

    /// Takes ownership (+1) of a result that is absent when the C call failed.
    init?(_ pointer: UnsafeMutablePointer<Object>?) {
        guard let pointer else { return nil }
        self.pointer = pointer
    }

    deinit { g_object_unref(pointer) }
}
