public import ChoirSampling

/// What `choir.json` says of a denoiser of one's own: which file it is, what its inputs mean, and how it paints best.
///
/// The denoiser is an ONNX file or an OpenVINO IR in the same folder. It is asked for tiles
/// `[1, channels, height, width]` at a noise level `x = alpha · clean + sigma · noise`, and predicts one of what
/// `Parameterization` lists, in the same shape.
public struct DenoiserManifest: Hashable, Sendable {
    /// The manifest's file; the start of every error about it.
    public let path: String

    /// The name that reports and metadata state; nil for that of the folder.
    public let name: String?

    /// The file with the graph, in the folder of the manifest: `.onnx`, or `.xml` with a `.bin` of the same name beside.
    public let file: String

    /// The input that takes the noisy tile.
    public let sample: String

    /// The input that takes the noise level, one number.
    public let level: String

    /// The output with the prediction; nil for the only one that the graph has.
    public let output: String?

    /// All other inputs, sorted by name.
    public let conditions: [DenoiserCondition]

    /// What it predicts.
    public let prediction: Parameterization

    /// The noise that it was trained with, and how it is told the level.
    public let noise: DenoiserNoise

    /// Channels of the picture, which is the canvas: 3, or 1 for a grey one.
    public let channels: Int

    /// Side of a tile in pixels: the size that it paints best.
    public let tile: Int

    /// Pixels that neighbouring tiles share, where the request names none.
    public let overlap: Int

    /// What sides and places of tiles are multiples of, in pixels.
    public let alignment: Int

    /// The values of the picture that become black and white; what lies beyond is cut off when it is written.
    public let range: ClosedRange<Double>

    /// The step rule, where the request names none.
    public let sampler: SamplerKind

    /// Steps, where the request names none.
    public let steps: Int

    /// Scale of guidance, where the request names none; 1 is off.
    public let guidance: Double

    /// Where on the way from noise an enlarged picture is refined from, above 0 and at most 1.
    public let start: Double

    /// The name of a manifest in its folder.
    public static let fileName = "choir.json"

    /// The longest side of a tile, in pixels.
    public static let maximumTile = 4096

    /// The most inputs beside sample and level.
    public static let maximumConditions = 64

    /// The file with the graph.
    public var graphPath: String { path.dropLast(Self.fileName.count) + file }

    /// Whether guidance has something to lead away from.
    public var canGuide: Bool { conditions.contains { $0.unconditional != nil } }
}

/// The noise that a denoiser of one's own was trained with, and how it is told the level.
public enum DenoiserNoise: Hashable, Sendable {
    /// `x = clean + sigma · noise`, and it is told sigma (EDM and consistency models). Painting goes through the
    /// deviations of Karras et al. 2022, equation 5.
    case sigma(minimum: Double, maximum: Double, rho: Double)

    /// `x = √ᾱ · clean + √(1 - ᾱ) · noise`, and it is told the training step from 0 on (DDPM).
    case timestep(TrainingNoise, spacing: TimestepSpacing)

    /// `x = (1 - t) · clean + t · noise`, and it is told `t · timeScale` (rectified flow).
    case flow(timeScale: Double, shift: Double)
}
