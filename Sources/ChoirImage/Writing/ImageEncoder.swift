internal import CVips
import Glibc
import Synchronization

/// The other end of an ``ImageWriter``: a thread in which libvips pulls pixels out of a socket and compresses them.
///
/// Libvips pulls and painting pushes; the socket turns the one into the other and holds the painter back when the
/// compressor is slower. What goes through it is a PPM stream (PGM for grey), which libvips reads row by row. Against
/// a raw spool file that libvips would read afterwards, this needs no disk space and compresses while the next tiles
/// are painted.
final class ImageEncoder: Sendable {
    /// What is encoded, and where.
    struct Job: Sendable {
        var format: ImageFormat
        var options: ImageOptions
        var metadata: ImageMetadata
        /// The bytes of the image before compression.
        var byteCount: Int
        /// For error texts.
        var output: String
        /// An existing directory; the file is made inside it.
        var directory: String

        /// The finished file, or a pyramid's descriptor.
        var file: String { "\(directory)/image\(format == .deepZoom ? ".dzi" : "")" }
        /// The directory of a pyramid's tiles.
        var tiles: String { "\(directory)/image_files" }
    }

    private let job: Job
    private let socket: Int32
    private let failure = Mutex<ImageError?>(nil)

    /// - Parameter socket: The end to read from; taken over.
    init(_ job: Job, socket: Int32) {
        self.job = job
        self.socket = socket
    }

    /// Starts the thread; it must be joined with ``join(_:)``.
    func start() throws(ImageError) -> pthread_t {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ImageEncoder>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard status == 0 else {
            context.release()
            close(socket)
            throw ImageError(.library, job.output, "no thread could be started to encode it (error \(status))")
        }
        return thread
    }

    /// Waits for the thread's end.
    ///
    /// - Throws: Why the file is not complete.
    func join(_ thread: pthread_t) throws(ImageError) {
        pthread_join(thread, nil)
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func run() {
        do throws(ImageError) {
            try encode()
        } catch {
            failure.withLock { $0 = error }
        }
        // Shut down, not only closed, so that a painter who still pushes is told at once, whoever else has a copy.
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
        vips_thread_shutdown()
    }

    private func encode() throws(ImageError) {
        guard let source = VipsReference(vips_source_new_from_descriptor(socket)) else {
            throw ImageRuntime.takeError(.library, job.output, "cannot be encoded")
        }
        var loaded: UnsafeMutablePointer<VipsImage>?
        try check { cvips_ppmload_source(source.pointer, &loaded) }
        guard let loaded = VipsReference(loaded) else { return }
        // A copy, since an image that an operation returned may be shared and must not be changed.
        var copied: UnsafeMutablePointer<VipsImage>?
        try check { cvips_copy(loaded.pointer, &copied) }
        guard let image = VipsReference(copied) else { return }
        setMetadata(image.pointer)
        try save(image.pointer)
    }

    private func setMetadata(_ image: UnsafeMutablePointer<VipsImage>) {
        let metadata = job.metadata
        guard metadata != ImageMetadata(), ![.png, .deepZoom].contains(job.format) else { return }
        let packet = XMPPacket.encode(metadata)
        vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, packet, packet.count)
        guard let parameters = metadata.parameters else { return }
        if job.format == .tiff {
            vips_image_set_string(image, VIPS_META_IMAGEDESCRIPTION, parameters)
        } else {
            let block = EXIFUserComment.encode(parameters)
            vips_image_set_blob_copy(image, VIPS_META_EXIF_NAME, block, block.count)
        }
    }

    private func save(_ image: UnsafeMutablePointer<VipsImage>) throws(ImageError) {
        let quality = Int32(job.options.quality)
        switch job.format {
        case .png:
            try savePNG(image)
        case .tiff:
            // The smaller levels add a third, and what does not compress grows a little.
            let isBig = job.byteCount > Int(UInt32.max) / 3 * 2
            try TargetKeeper.during { () throws(ImageError) in
                try check { cvips_tiffsave(image, job.file, 256, isBig ? 1 : 0) }
            }
        case .jpeg:
            try check { cvips_jpegsave(image, job.file, quality) }
        case .webp:
            try check { cvips_webpsave(image, job.file, quality, job.options.isLossless ? 1 : 0) }
        case .deepZoom:
            try check { cvips_dzsave(image, "\(job.directory)/image", ".jpg[Q=\(quality)]") }
        }
    }

    /// Lets libvips write behind a gap of the text chunks' size, then moves the head in front of the gap.
    private func savePNG(_ image: UnsafeMutablePointer<VipsImage>) throws(ImageError) {
        let chunks = PNGTextChunks.encode(job.metadata)
        let file = open(job.file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw StagingDirectory.systemError(job.output, "cannot be created") }
        defer { close(file) }
        lseek(file, off_t(chunks.count), SEEK_SET)
        guard let target = VipsReference(vips_target_new_to_descriptor(file)) else {
            throw ImageRuntime.takeError(.library, job.output, "cannot be encoded")
        }
        TargetKeeper.forget(target.pointer)
        let level = Int32(job.options.pngCompression)
        try check { cvips_pngsave_target(image, target.pointer, level, VIPS_FOREIGN_PNG_FILTER_SUB) }
        // The signature (8 bytes) and the IHDR chunk (25), which the specification puts first.
        var head = [UInt8](repeating: 0, count: 33)
        guard pread(file, &head, head.count, off_t(chunks.count)) == head.count else {
            throw StagingDirectory.systemError(job.output, "cannot be read back")
        }
        head += chunks
        guard pwrite(file, head, head.count, 0) == head.count else {
            throw StagingDirectory.systemError(job.output, "cannot be given its metadata")
        }
    }

    private func check(_ call: () -> Int32) throws(ImageError) {
        try ImageRuntime.check(.library, job.output, "cannot be encoded", call)
    }
}
