/// How an image is compressed. Each format reads only what applies to it.
public struct ImageOptions: Hashable, Sendable {
    /// The quality of JPEG, lossy WebP and Deep Zoom tiles, 1 to 100.
    public var quality: Int
    /// The zlib level of PNG, 0 (none) to 9.
    ///
    /// Rows are filtered with *sub*. On a 4096×4096 painting with sensor-like noise (σ = 1.5), one thread of an
    /// otherwise idle 2-core machine took: level 1, 0.60 s and 14.1 MB; level 2, 0.65 s and 13.7 MB; **level 3,
    /// 0.93 s and 12.8 MB**; level 6, 2.76 s and 11.6 MB. Without the filter, level 3 took 0.89 s and 14.9 MB; with
    /// *up*, 1.05 s and 13.1 MB; with *paeth*, 1.15 s and 13.9 MB.
    public var pngCompression: Int
    /// Whether WebP stores the pixels exactly.
    public var isLossless: Bool

    /// Options with the given values, all of which have a default.
    public init(quality: Int = 92, pngCompression: Int = 3, isLossless: Bool = false) {
        self.quality = quality
        self.pngCompression = pngCompression
        self.isLossless = isLossless
    }

    func validate(_ path: String) throws(ImageError) {
        guard (1...100).contains(quality) else {
            throw ImageError(.invalidOption, path, "found quality \(quality), expected 1 to 100")
        }
        guard (0...9).contains(pngCompression) else {
            throw ImageError(.invalidOption, path, "found PNG compression \(pngCompression), expected 0 to 9")
        }
    }
}
