import Foundation
import Glibc

/// The files of a Deep Zoom pyramid as libvips writes it: level 0 is one pixel, every next one twice as large.
///
/// Libvips 8.14 does not notice when a tile cannot be written, for example on a full disk; hence this check.
struct DeepZoomPyramid {
    /// The side of a tile in pixels, without what it shares with its neighbours.
    static let tileSide = 254

    let width: Int
    let height: Int
    /// The `.dzi` file.
    let descriptor: String
    /// The directory of the levels.
    let tiles: String

    /// Tells whether all files are there and whole, and asks the disk to keep them.
    func isWholeAndFlushed() -> Bool {
        var levels = [(width: width, height: height)]
        while let (width, height) = levels.last, max(width, height) > 1 {
            levels.append(((width + 1) / 2, (height + 1) / 2))
        }
        for (level, size) in levels.reversed().enumerated() {
            for column in 0..<(size.width + Self.tileSide - 1) / Self.tileSide {
                for row in 0..<(size.height + Self.tileSide - 1) / Self.tileSide {
                    // The end-of-image marker of JPEG.
                    guard flush("\(tiles)/\(level)/\(column)_\(row).jpg", ending: [0xFF, 0xD9]) else { return false }
                }
            }
            guard flush("\(tiles)/\(level)", ending: []) else { return false }
        }
        return flush(tiles, ending: []) && flush(descriptor, ending: Array("</Image>\n".utf8))
    }

    private func flush(_ path: String, ending: [UInt8]) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        guard !ending.isEmpty else { return fsync(file) == 0 }
        var bytes = [UInt8](repeating: 0, count: ending.count)
        let start = lseek(file, -off_t(ending.count), SEEK_END)
        return start >= 0 && pread(file, &bytes, bytes.count, start) == bytes.count && bytes == ending
            && fsync(file) == 0
    }
}
