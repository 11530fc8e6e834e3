import Glibc

/// For which device and how a graph is compiled.
public struct CompileOptions: Hashable, Sendable {
    /// The number format in which layers compute. Inputs and outputs stay f32.
    public enum Precision: String, Hashable, Sendable, CaseIterable {
        /// bf16 where the device has it and computes faster in it, f32 elsewhere.
        ///
        /// Intel processors with AVX-512 but without AMX have bf16, and need 1.6 times as long in it (measured on a
        /// Xeon of model 207: 0.28 s against 0.175 s for a tile of Cosmos). AMD's need half as long.
        case auto
        /// 16 bits with the exponent range of f32.
        case bf16
        /// 32 bits.
        case f32
        /// 16 bits; GPUs and few processors.
        case f16

        /// The spelling among the capabilities of a device.
        var capability: String {
            switch self {
            case .bf16: "BF16"
            case .f16: "FP16"
            case .f32, .auto: "FP32"
            }
        }
    }

    /// The name of the device, such as `CPU` or `GPU.0`; see ``OpenVINORuntime/availableDevices()``.
    public var device = "CPU"

    /// The number format in which layers compute.
    public var precision = Precision.auto

    /// How many processor threads all requests of the model may use together; nil leaves it to the engine.
    public var threads: Int?

    /// How many requests run at the same time; more of them wait their turn. They share one copy of the weights.
    public var concurrentRequests = 1

    /// Where compiled models are kept, so that the next compilation of the same graph is fast; nil keeps none.
    ///
    /// An entry is about as large as the weights. Deleting the directory is always safe.
    public var cacheDirectory = CompileOptions.defaultCacheDirectory

    /// How many bytes it holds at most: a compilation that adds an entry removes those that were not used for the longest
    /// time. The last one stays, however large it is.
    public var cacheByteLimit = 40 << 30

    /// Makes the default options.
    public init() {}

    /// Makes options.
    public init(
        device: String = "CPU",
        precision: Precision = .auto,
        threads: Int? = nil,
        concurrentRequests: Int = 1,
        cacheDirectory: String? = CompileOptions.defaultCacheDirectory
    ) {
        self.device = device
        self.precision = precision
        self.threads = threads
        self.concurrentRequests = concurrentRequests
        self.cacheDirectory = cacheDirectory
    }

    /// `choir/openvino` in the user's cache directory, or nil when there is none.
    ///
    /// That is `$XDG_CACHE_HOME`, or `~/.cache` when the variable is unset or not an absolute path
    /// (XDG Base Directory Specification).
    public static var defaultCacheDirectory: String? {
        func absolutePath(_ variable: String) -> String? {
            getenv(variable).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        let base = absolutePath("XDG_CACHE_HOME") ?? absolutePath("HOME").map { "\($0)/.cache" }
        return base.map { "\($0)/choir/openvino" }
    }

    /// Checks the ranges.
    func validate() throws(OpenVINOError) {
        guard (1...1024).contains(concurrentRequests) else {
            throw OpenVINOError(.option, "concurrentRequests", "expected 1 to 1024, found \(concurrentRequests)")
        }
        if let threads, !(1...4096).contains(threads) {
            throw OpenVINOError(.option, "threads", "expected 1 to 4096, found \(threads)")
        }
        guard !device.isEmpty, device.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw OpenVINOError(.option, "device", "expected a name such as CPU or GPU.0, found \"\(device)\"")
        }
        if let cacheDirectory, cacheDirectory.utf8.contains(0) {
            throw OpenVINOError(.option, "cacheDirectory", "the path contains a NUL byte")
        }
    }
}
