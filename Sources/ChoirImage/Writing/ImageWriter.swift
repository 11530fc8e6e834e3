import Foundation
import Glibc

/// Writes an image file from strips of rows, so that the whole picture is never in memory.
///
/// ```swift
/// let writer = try ImageWriter(path: "sky.png", width: 4096, height: 4096)
/// while let strip = painter.nextStrip() { try writer.write(strip: strip) }
/// print(try writer.finish())      // the SHA-256 of the pixels
/// ```
///
/// The file name's ending chooses the ``ImageFormat``. The file appears under its name only in ``finish()``, complete
/// and flushed; until then, and after a failure or when the writer is dropped unfinished, a file that was there stays
/// as it was and nothing else is left.
///
/// Memory stays at some tens of rows of tiles for PNG, TIFF, JPEG and Deep Zoom whatever the height; WebP holds the
/// whole image by its nature (16,383² pixels at most). See ``temporaryBytes(format:width:height:channels:bitDepth:)``
/// for disk space.
///
/// A writer belongs to one task. ``write(strip:)-(Span<UInt8>)`` blocks its thread while the compressor catches up.
public final class ImageWriter {
    /// The width in pixels.
    public let width: Int
    /// The height in pixels.
    public let height: Int
    /// 1 for grey or 3 for RGB.
    public let channels: Int
    /// 8 or 16 bits per channel.
    public let bitDepth: Int
    /// The format that the file name stands for.
    public let format: ImageFormat
    /// The rows received so far.
    public private(set) var rowsWritten = 0

    private let path: String
    private let job: ImageEncoder.Job
    private let staging: StagingDirectory
    private let encoder: ImageEncoder
    private let digest = PixelDigest()
    private var isFinished = false
    /// The end of the socket to write to and the encoder's thread, until they are closed.
    private var connection: (socket: Int32, thread: pthread_t)?
    private var failure: ImageError?

    /// Starts a file.
    ///
    /// - Parameters:
    ///   - path: Where the image goes; a symbolic link is followed. The directory must exist.
    ///   - width: In pixels, at least 1 and at most the format's ``ImageFormat/maximumSide``.
    ///   - height: As `width`.
    ///   - channels: 1 (grey) or 3 (RGB).
    ///   - bitDepth: 8 or, for PNG and TIFF, 16.
    /// - Throws: `ImageError` when the format, the size, an option or the metadata is not possible, or when nothing
    ///   can be written there.
    public init(
        path: String,
        width: Int,
        height: Int,
        channels: Int = 3,
        bitDepth: Int = 8,
        options: ImageOptions = ImageOptions(),
        metadata: ImageMetadata = ImageMetadata()
    ) throws(ImageError) {
        let format = try ImageFormat(path: path)
        try format.validate(path, width: width, height: height, channels: channels, bitDepth: bitDepth)
        try options.validate(path)
        try metadata.validate(path, for: format)
        try ImageRuntime.start()
        let staging = try StagingDirectory(output: path, isPyramid: format == .deepZoom)
        // No overflow: the sides are at most 10 million.
        let byteCount = width * height * channels * (bitDepth / 8)
        let job = ImageEncoder.Job(
            format: format,
            options: options,
            metadata: metadata,
            byteCount: byteCount,
            output: path,
            directory: staging.path
        )

        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw StagingDirectory.systemError(path, "no socket could be opened to encode it")
        }
        let encoder = ImageEncoder(job, socket: ends[0])
        do throws(ImageError) {
            connection = (ends[1], try encoder.start())
        } catch {
            close(ends[1])
            throw error
        }
        self.width = width
        self.height = height
        self.channels = channels
        self.bitDepth = bitDepth
        self.format = format
        self.path = path
        self.job = job
        self.staging = staging
        self.encoder = encoder
        let header = "P\(channels == 3 ? 6 : 5)\n\(width) \(height)\n\(bitDepth == 8 ? 255 : 65_535)\n"
        try send(Array(header.utf8).span)
    }

    deinit {
        disconnect()
        staging.remove()
    }

    /// Refuses what an `ImageWriter` would refuse now or at its end, as far as it can be known; leaves nothing behind.
    ///
    /// - Throws: `ImageError` as the initialiser does.
    package static func check(
        path: String, width: Int, height: Int, channels: Int = 3, bitDepth: Int = 8,
        metadata: ImageMetadata = ImageMetadata()
    ) throws(ImageError) {
        let format = try ImageFormat(path: path)
        try format.validate(path, width: width, height: height, channels: channels, bitDepth: bitDepth)
        try metadata.validate(path, for: format)
        try StagingDirectory(output: path, isPyramid: format == .deepZoom).remove()
    }

    /// The most bytes that a file needs on disk besides itself, in the directory for temporary files (`TMPDIR`, else
    /// `/tmp`): libvips keeps a TIFF's smaller levels there until the largest is written. 0 for other formats.
    public static func temporaryBytes(
        format: ImageFormat,
        width: Int,
        height: Int,
        channels: Int = 3,
        bitDepth: Int = 8
    ) -> Int {
        // 1/4 + 1/16 + … of the pixels, and as much again of a sixteenth for what does not compress and for tile edges.
        format == .tiff ? width * height * channels * (bitDepth / 8) / 8 * 3 : 0
    }

    /// Appends rows of 8-bit pixels below those written before.
    ///
    /// - Parameter strip: Whole rows, row by row, pixel by pixel, channel by channel.
    /// - Throws: `ImageError` when the strip is not a number of whole rows that still fit, or when encoding failed, for
    ///   example because the disk is full; the writer is then of no more use, and its temporary files are gone.
    public func write(strip: Span<UInt8>) throws(ImageError) {
        try accept(elements: strip.count, bitDepth: 8)
        try append(strip)
    }

    /// Appends rows of 16-bit pixels, as ``write(strip:)-(Span<UInt8>)`` does for 8-bit ones.
    public func write(strip: Span<UInt16>) throws(ImageError) {
        try accept(elements: strip.count, bitDepth: 16)
        // A part at a time, so that a strip's second copy stays small.
        let part = 1 << 16
        for start in stride(from: 0, to: strip.count, by: part) {
            let range = start..<min(start + part, strip.count)
            let bytes = [UInt8](unsafeUninitializedCapacity: 2 * range.count) { buffer, count in
                for index in range {
                    buffer[count] = UInt8(strip[index] >> 8)
                    buffer[count + 1] = UInt8(truncatingIfNeeded: strip[index])
                    count += 2
                }
            }
            try append(bytes.span)
        }
    }

    /// Appends rows of 8-bit pixels, as ``write(strip:)-(Span<UInt8>)`` does.
    public func write(strip: [UInt8]) throws(ImageError) { try write(strip: strip.span) }

    /// Appends rows of 16-bit pixels, as ``write(strip:)-(Span<UInt8>)`` does for 8-bit ones.
    public func write(strip: [UInt16]) throws(ImageError) { try write(strip: strip.span) }

    /// Completes the file and puts it in its place.
    ///
    /// - Returns: The ``PixelDigest`` of all rows, in hexadecimal.
    /// - Throws: `ImageError` when rows are missing (the writer can go on then), or when encoding, flushing or renaming
    ///   failed; a file that was there before is then untouched.
    @discardableResult
    public func finish() throws(ImageError) -> String {
        if let failure { throw failure }
        guard rowsWritten == height else {
            throw ImageError(.invalidPixels, path, "\(rowsWritten) rows were written, expected \(height)")
        }
        guard !isFinished else { throw ImageError(.invalidPixels, path, "the file is already finished") }
        if let error = disconnect() { throw abandon(error) }
        do throws(ImageError) {
            if format == .deepZoom {
                try writeSidecar()
                let pyramid = DeepZoomPyramid(width: width, height: height, descriptor: job.file, tiles: job.tiles)
                guard pyramid.isWholeAndFlushed() else {
                    let full = staging.isDiskFull
                    throw ImageError(
                        full ? .diskFull : .library,
                        path,
                        "some of its tiles could not be written\(full ? ", the disk is full" : "")"
                    )
                }
                try staging.commit(descriptor: job.file, tiles: job.tiles)
            } else {
                try staging.commit(file: job.file)
            }
        } catch {
            throw abandon(error)
        }
        staging.remove()
        isFinished = true
        return digest.finish()
    }

    // MARK: -

    private func accept(elements: Int, bitDepth: Int) throws(ImageError) {
        if let failure { throw failure }
        guard bitDepth == self.bitDepth else {
            throw ImageError(.invalidPixels, path, "found \(bitDepth)-bit pixels, expected \(self.bitDepth)-bit ones")
        }
        let row = width * channels
        guard elements % row == 0 else {
            throw ImageError(
                .invalidPixels,
                path,
                "a strip has \(elements) values, expected a multiple of \(row) (whole rows)"
            )
        }
        guard elements / row <= height - rowsWritten else {
            let found = "\(rowsWritten) + \(elements / row) rows"
            throw ImageError(.invalidPixels, path, "found \(found), expected \(height) in all")
        }
        rowsWritten += elements / row
    }

    private func append(_ bytes: Span<UInt8>) throws(ImageError) {
        digest.update(bytes)
        try send(bytes)
    }

    private func send(_ bytes: Span<UInt8>) throws(ImageError) {
        guard let socket = connection?.socket else { return }
        let isSent = bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                // Without a signal, which would end the process, when the encoder has given up.
                let count = Glibc.send(
                    socket,
                    UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                    rest.count,
                    Int32(MSG_NOSIGNAL)
                )
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
        guard !isSent else { return }
        throw abandon(disconnect() ?? ImageError(.library, path, "the encoder stopped before the last row"))
    }

    /// Ends the stream and waits for the encoder; returns its error.
    @discardableResult
    private func disconnect() -> ImageError? {
        guard let (socket, thread) = connection else { return nil }
        connection = nil
        close(socket)
        do throws(ImageError) {
            try encoder.join(thread)
            return nil
        } catch {
            // Libvips has no error codes. The smaller levels of a TIFF may have filled another disk than this one.
            let reason = String(cStringOrEmpty: strerror(ENOSPC))
            guard staging.isDiskFull || error.message.contains(reason) else { return error }
            return ImageError(.diskFull, path, "cannot be encoded (\(reason))")
        }
    }

    private func abandon(_ error: ImageError) -> ImageError {
        failure = error
        staging.remove()
        return error
    }

    private func writeSidecar() throws(ImageError) {
        guard job.metadata != ImageMetadata() else { return }
        let sidecar = "\(job.tiles)/choir.json"
        do {
            try JSONEncoder().encode(job.metadata).write(to: URL(filePath: sidecar))
            try StagingDirectory.flush(sidecar)
        } catch {
            throw ImageError(staging.isDiskFull ? .diskFull : .fileSystem, path, "its metadata cannot be written")
        }
    }
}
