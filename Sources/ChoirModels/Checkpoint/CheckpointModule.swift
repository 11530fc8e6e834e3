public import ChoirGraph
public import ChoirTensor

/// One network of a checkpoint: its configuration, the files with its weights, and how those name them.
///
/// A model's function asks for weights under the names of diffusers (UNet, VAE) and transformers (text encoders), which
/// ``weights()`` finds whatever the layout of the files:
///
/// ```swift
/// let builder = GraphBuilder(name: "vae", weights: try module.weights())
/// let x = try builder.convolution(latent, named: "decoder.conv_in", outputChannels: 512, kernel: 3, padding: 1)
/// ```
public struct CheckpointModule: Sendable {
    /// The fields of `config.json`, or those inferred from the weights of a single file.
    public let configuration: ConfigurationFields

    /// The files; all shards of this network, or the single file.
    public let files: [SafetensorsFile]

    /// From the names of diffusers and transformers to those of the files.
    public let naming: WeightNaming

    /// What the names of this network's tensors begin with in the files.
    let prefix: String

    package init(
        configuration: ConfigurationFields, files: [SafetensorsFile], naming: WeightNaming, prefix: String = ""
    ) {
        self.configuration = configuration
        self.files = files
        self.naming = naming
        self.prefix = prefix
    }

    /// The tensors of this network that hold numbers of the network, not indices.
    var tensors: [SafetensorsFile.Entry] {
        files.flatMap { file in
            file.names.filter { $0.hasPrefix(prefix) }.compactMap { file.tensors[$0] }
                .filter { [.float64, .float32, .float16, .bfloat16].contains($0.dataType) }
        }
    }

    /// The number of parameters.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.shape.elementCount } }

    /// The element types on disk, as safetensors spells them, such as `F16`.
    public var precisions: [String] { Set(tensors.map(\.dataType.rawValue)).sorted() }

    /// Bytes of the parameters on disk.
    public var byteCount: Int { tensors.reduce(0) { $0 + $1.fileRange.count } }

    /// Maps the files into memory; reads no weight yet.
    public func weights() throws(GraphError) -> WeightStore { try WeightStore(files: files, naming: naming) }
}
