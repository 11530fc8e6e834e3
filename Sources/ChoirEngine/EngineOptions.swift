public import ChoirRuntime
import Foundation

/// Where and how models run.
public struct EngineOptions: Hashable, Sendable {
    /// The inference device, such as `CPU`.
    public var device = "CPU"

    /// The number format of the network's layers.
    public var precision = CompileOptions.Precision.auto

    /// The processor threads that inference and image files share.
    public var threads = ProcessInfo.processInfo.activeProcessorCount

    /// The folder or file of an autoencoder that paints previews in place of the checkpoint's own, such as an
    /// `AutoencoderTiny` (TAESD), which is many times quicker; nil for its own.
    public var previewDecoder: String?

    /// The default options.
    public init() {}
}
