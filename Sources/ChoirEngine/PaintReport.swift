public import Choir
import ChoirImage
import ChoirSampling
public import Foundation

/// What a painting took and how it turned out, as `--report` writes it.
public struct PaintReport: Hashable, Sendable, Codable {
    /// Seconds.
    public struct Timings: Hashable, Sendable, Codable {
        /// Compiling the model, or reading it from the cache.
        public var compile: Double
        /// From the first noise to the finished canvas, without compiling.
        public var denoise: Double
        /// Execution time of the network's requests, divided by the requests that can run at once.
        public var network: Double
        /// Decoding the canvas, where it is not the picture, and writing it.
        public var write: Double
        /// Everything since the program began to paint.
        public var total: Double
    }

    /// Ratios of gradients at tile borders to those beside them; 1 is invisible. All nil for a picture of one tile.
    public struct Seam: Hashable, Sendable {
        /// The mean over all border lines.
        public var ratioMean: Double?
        /// The 95th percentile.
        public var ratioP95: Double?
        /// The worst border line.
        public var ratioWorst: Double?
        /// The worst of as many lines far from borders, see `SeamReport.controlWorst`.
        public var controlWorst: Double?
    }

    /// The model's name.
    public var model: String
    /// In pixels.
    public var size: PixelSize
    /// The seed.
    public var seed: UInt64
    /// The name of the refiner that took over; absent without one.
    public var refiner: String?
    /// The share of the way from pure noise that the model painted alone; absent without a refiner.
    public var handover: Double?
    /// The name of the autoencoder in the place of the model's own; absent for that.
    public var autoencoder: String?
    /// Steps at the full size.
    public var steps: Int
    /// Tiles at the full size.
    public var tiles: Int
    /// Evaluations of the network over all stages.
    public var evaluations: Int
    /// Tiles denoised at the same time.
    public var modules: Int
    /// The number format of the network's layers.
    public var precision: String
    /// Where the time went.
    public var timings: Timings
    /// The most memory that the process ever held.
    public var peakResidentBytes: Int
    /// How visible the tile borders are.
    public var seam: Seam
    /// How far tiles disagreed in overlaps before they were merged, for each step that had any, as
    /// `PaintEvent.disagreement` tells it; of a painting that was resumed, since then.
    public var overlapDisagreement: [Double]
    /// SHA-256 of the pixels, as `WrittenPicture` has it.
    public var pixelsSHA256: String

    /// A report.
    ///
    /// - Parameters:
    ///   - painting: What was painted.
    ///   - written: What was written.
    ///   - modules: Tiles denoised at the same time.
    ///   - precision: The number format of the network's layers.
    ///   - overlapDisagreement: What events told of each step.
    ///   - totalSeconds: Everything since the program began to paint.
    public init(
        _ painting: Painting, written: WrittenPicture, modules: Int, precision: String,
        overlapDisagreement: [Double] = [], totalSeconds: Double
    ) {
        model = painting.model
        size = painting.request.size
        seed = painting.request.seed
        refiner = painting.plan.handOver?.refiner
        handover = painting.plan.handOver?.share
        autoencoder = painting.plan.autoencoder
        steps = painting.plan.finest.stepsAtSize
        tiles = painting.plan.tiles
        evaluations = painting.plan.evaluations
        self.modules = modules
        self.precision = precision
        timings = Timings(
            compile: painting.timings.compile, denoise: painting.timings.denoise, network: painting.timings.network,
            write: written.seconds, total: totalSeconds)
        peakResidentBytes = ProcessMemory.peakResidentBytes
        seam = Seam(
            ratioMean: written.seams?.borders.mean, ratioP95: written.seams?.borders.p95,
            ratioWorst: written.seams?.borders.worst.ratio, controlWorst: written.seams?.controlWorst)
        self.overlapDisagreement = overlapDisagreement
        pixelsSHA256 = written.pixelsSHA256
    }

    /// As JSON with sorted keys.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension PaintReport.Seam: Codable {
    private enum Key: String, CodingKey { case ratioMean, ratioP95, ratioWorst, controlWorst }

    /// Writes every key, null where there is no border, so that a reader finds the same keys in every report.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(ratioMean, forKey: .ratioMean)
        try values.encode(ratioP95, forKey: .ratioP95)
        try values.encode(ratioWorst, forKey: .ratioWorst)
        try values.encode(controlWorst, forKey: .controlWorst)
    }
}

extension PaintReport {
    /// What a person wants to know at the end.
    public func summary(output: String) -> String {
        let seconds = { (time: Double) in String(format: "%.1f s", time) }
        let ratio = { (ratio: Double?) in ratio.map { String(format: "%.4f", $0) } ?? "no border" }
        return """
            \(output): \(size) pixels by \(model), seed \(seed)
            painted in \(seconds(timings.denoise)) (the network itself \(seconds(timings.network))), compiled in \
            \(seconds(timings.compile)), written in \(seconds(timings.write)), \(seconds(timings.total)) in all
            \(evaluations) evaluations in \(precision), \(modules) modules, peak memory \
            \(String(format: "%.2f GB", Double(peakResidentBytes) / 1e9))
            seam ratio: mean \(ratio(seam.ratioMean)), worst \(ratio(seam.ratioWorst)), worst control line \
            \(ratio(seam.controlWorst))
            pixels: \(pixelsSHA256)
            """
    }
}
