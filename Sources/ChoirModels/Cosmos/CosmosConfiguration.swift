public import ChoirSampling
import ChoirTensor
import Foundation

/// The sizes of a Cosmos network and how it paints best, as `config.json` beside its weights states them.
public struct CosmosConfiguration: Hashable, Sendable, Codable {
    /// The network's own sizes.
    public struct Network: Hashable, Sendable, Codable {
        /// Channels at 1/4, 1/8 and 1/16 of the picture's side.
        public var widths: [Int]
        /// Residual blocks at these levels, on the way down and again on the way up.
        public var blocks: [Int]
        /// Width of the embedding of noise level, scale and text.
        public var embedding: Int
        /// Width of a word's vector.
        public var text: Int
        /// Channels that the full-size convolutions refine.
        public var fine: Int
        /// Heads of the cross-spatial attention.
        public var heads: Int
        /// Scales that the network was trained on.
        public var scales: Int
        /// Pixels per side that the first level folds into channels.
        public var unshuffle: Int
        /// Pixels per side of a cell of the coarsest level.
        public var cell: Int
        /// Frequencies by which the noise level is told.
        public var frequencies: Int
        /// The highest of them, in radians per unit of flow time.
        public var highestFrequency: Double
    }

    /// What the training pictures are like, in -1 ... 1.
    public struct Picture: Hashable, Sendable, Codable {
        /// Their mean.
        public var mean: Double
        /// Their standard deviation.
        public var deviation: Double
        /// The standard deviation of what a picture has and its coarser scale, enlarged, has not.
        public var detail: Double
    }

    /// How the network paints best, found by `Training/tradeoff.py`.
    public struct Painting: Hashable, Sendable, Codable {
        /// The scales, from the full size to the coarsest.
        public var scales: [Scale]
        /// The least shorter side, in pixels, of a canvas that a larger one of the coarsest scale is composed on first.
        public var composedSide: Int
        /// The value of a canvas, -1 ... 0, that is black in its picture; nil for -1. Between stars the network says the
        /// mean of black and of stars too faint to be told from noise.
        public var black: Double?
    }

    /// How one scale is painted best.
    public struct Scale: Hashable, Sendable, Codable {
        /// Where a coarser picture is refined.
        public var refining: Settings
        /// Where there is none.
        public var composing: Settings
    }

    /// How a canvas is painted.
    public struct Settings: Hashable, Sendable, Codable {
        /// Steps, 1 ... 1000.
        public var steps: Int
        /// Guidance scale, 0 ... 30; 1 is off.
        public var guidance: Double
        /// The flow time that a coarser picture is refined from, above 0; 1 repaints from pure noise, and composes.
        public var start: Double
        /// Shift of the schedule (Esser et al. 2024, equation 23), 0.01 ... 100; 1 is none.
        public var shift: Double
        /// The step rule.
        public var sampler: SamplerKind
    }

    /// What the network's output means and which layers and scales it has; this version of Choir reads 5: a prediction of
    /// the clean picture, a style of its own for what is composed at full size, and scales that state how they refine and how
    /// they compose.
    public var version: Int

    /// The network's sizes.
    public var network: Network

    /// How many times smaller than a tile's side that of the coarser picture is, as the tile sees it.
    public var scaleFactor: Int

    /// For each scale, from the full size to the coarsest, how many pixels of the full size are one of its own, a side.
    public var reductions: [Int]

    /// What the training pictures are like.
    public var picture: Picture

    /// How the network paints best.
    public var painting: Painting

    /// What `forms.safetensors` beside the weights has; nil without such a file.
    public var forms: CosmosForms?

    /// The words that the network was trained on.
    public var vocabulary: [String]?

    /// Those of them that name objects, of which a picture may show several apart.
    public var objects: [String]?

    /// Reads and checks a configuration.
    ///
    /// - Throws: `ModelError` that names the file and the field.
    public init(path: String) throws(ModelError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            let reason = (error as? DecodingError)?.sentence ?? error.localizedDescription
            throw ModelError(path, "this is not the configuration of a Cosmos network: \(reason)")
        }
        try check(path)
    }

    private func check(_ path: String) throws(ModelError) {
        let sizes = [
            ("embedding", network.embedding), ("text", network.text), ("fine", network.fine), ("heads", network.heads),
            ("frequencies", network.frequencies),
        ]
        for (field, size) in sizes where !(1...4096).contains(size) {
            throw ModelError(path, "network.\(field): found \(size), expected 1 to 4096")
        }
        for (field, list) in [("widths", network.widths), ("blocks", network.blocks)]
        where list.count != 3 || !list.allSatisfy((1...4096).contains) {
            throw ModelError(path, "network.\(field): found \(list), expected three numbers from 1 to 4096")
        }
        guard network.widths[2] % network.heads == 0 else {
            throw ModelError(path, "network.heads: found \(network.heads), expected a divisor of \(network.widths[2])")
        }
        let fixed = [
            ("version", version, 5), ("network.scales", network.scales, 3), ("network.unshuffle", network.unshuffle, 4),
            ("network.cell", network.cell, 16), ("scaleFactor", scaleFactor, 4),
        ]
        for (field, found, expected) in fixed where found != expected {
            throw ModelError(path, "\(field): found \(found), expected \(expected)")
        }
        // A coarser scale is as much smaller as its picture is seen to be, or less by a whole factor.
        guard reductions.count == network.scales, reductions[0] == 1,
            zip(reductions, reductions.dropFirst()).allSatisfy({ finer, coarser in
                finer < coarser && coarser <= 4096 && coarser % finer == 0 && scaleFactor % (coarser / finer) == 0
            })
        else {
            throw ModelError(
                path,
                "reductions: found \(reductions), expected \(network.scales) numbers from 1 on, each 2 or 4 times the "
                    + "one before")
        }
        for (field, words) in [("vocabulary", vocabulary ?? []), ("objects", objects ?? [])] where words.count > 4096 {
            throw ModelError(path, "\(field): found \(words.count) words, expected at most 4096")
        }
        try forms?.check(path)
        guard painting.scales.count == network.scales else {
            throw ModelError(
                path, "painting.scales: found \(painting.scales.count), expected \(network.scales), one for each scale")
        }
        var ofScales: [(String, Double, ClosedRange<Double>)] = []
        for (index, scale) in painting.scales.enumerated() {
            // What composes begins with pure noise.
            let uses = [("refining", scale.refining, 1e-3...1), ("composing", scale.composing, 1...1)]
            for (use, settings, starts) in uses {
                ofScales += [
                    ("steps", Double(settings.steps), 1...1000), ("guidance", settings.guidance, 0...30),
                    ("start", settings.start, starts), ("shift", settings.shift, 0.01...100),
                ].map { ("painting.scales.\(index).\(use).\($0.0)", $0.1, $0.2) }
            }
        }
        let ranges = [
            ("network.highestFrequency", network.highestFrequency, 1...1e6), ("picture.mean", picture.mean, -1...1),
            ("picture.deviation", picture.deviation, 1e-3...1), ("picture.detail", picture.detail, 1e-3...1),
            ("painting.composedSide", Double(painting.composedSide), 16...4096),
            ("painting.black", painting.black ?? -1, -1...0),
        ]
        for (field, found, range) in ranges + ofScales where !range.contains(found) {
            throw ModelError(path, "\(field): found \(found), expected \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
