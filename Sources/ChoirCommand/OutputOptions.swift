import ArgumentParser

/// What is written beside the picture: shared by `generate` and `resume`.
struct OutputOptions: ParsableArguments {
    @Option(help: "Write what the painting took and how it turned out to this file, as JSON.")
    var report: String?

    @Option(help: "Rewrite this small picture of the canvas after each step.")
    var preview: String?

    @Option(
        help: """
            The folder or file of an autoencoder that paints previews for a checkpoint, such as TAESD. \
            Default: the checkpoint's own.
            """)
    var previewDecoder: String?

    @Option(help: "Write the final canvas to this .safetensors file, as the tensor latents, [1, channels, h, w].")
    var latents: String?

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    /// The longer side of previews.
    static let previewSide = 512
}
