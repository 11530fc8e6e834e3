import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import Foundation

/// Paints a picture.
struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Paints a picture.",
        discussion: """
            The state after each step is kept in a run directory, FILE.run unless --run names another, and goes when \
            the picture is complete. After Ctrl-C, a crash or a power cut, `choir resume` continues from there and \
            ends in the same pixels.
            """)

    @Argument(help: "What the picture shows, such as \"red emission nebula, golden globular clusters\".")
    var prompt: String

    @OptionGroup var picture: PictureOptions

    @Option(help: "The picture's file: .png, .tif, .jpg, .webp, or .dzi for a deep-zoom pyramid.")
    var output = "choir.png"

    @Option(help: "Keep the run directory here, also after the picture is complete.")
    var run: String?

    @OptionGroup var engine: EngineArguments
    @OptionGroup var writing: OutputOptions

    func run() async throws {
        try await exitingOnError {
            var request = picture.request(prompt: prompt)
            if writing.preview != nil { request.previewSide = OutputOptions.previewSide }
            try request.validate()
            try OutputFile.check(output, size: request.size)
            let pipeline = try await engine.settings.pipeline()
            try Feasibility.check(pipeline, request, output: output)
            let job = PaintingJob(
                pipeline: pipeline, output: output, writing: writing, keepsRun: run != nil,
                run: RunDirectory(path: run ?? output + ".run", notes: try notes(pipeline)))
            let (final, directory) = (request, job.run)
            try await job.finish { pipeline.paint(final, run: directory) }
        }
    }

    /// What `resume` must know: the same precision gives the same bits.
    private func notes(_ pipeline: ParallelDiffusionPipeline) throws -> [String: String] {
        var notes = [
            "output": OutputFile.absolute(output), "device": engine.device, "modules": String(engine.modules),
            "precision": pipeline.denoiser.traits.precision, "keepsRun": String(run != nil),
        ]
        notes["model"] = engine.model.map(OutputFile.absolute)
        return notes
    }
}
