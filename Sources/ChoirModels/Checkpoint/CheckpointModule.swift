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

    package init(configuration: ConfigurationFields, files: [SafetensorsFile], naming: WeightNaming) {
        self.configuration = configuration
        self.files = files
        self.naming = naming
    }

    /// Maps the files into memory; reads no weight yet.
    public func weights() throws(GraphError) -> WeightStore { try WeightStore(files: files, naming: naming) }
}
