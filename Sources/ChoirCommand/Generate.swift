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

    @Argument(
        help: """
            What the picture shows, such as "red emission nebula, golden globular clusters". A denoiser of your own needs \
            none: it is but the picture's title then.
            """)
    var prompt: String?

    @OptionGroup var picture: PictureOptions

    @Option(help: "The picture's file: .png, .tif, .jpg, .webp, or .dzi for a deep-zoom pyramid.")
    var output = "choir.png"

    @Option(help: "Keep the run directory here, also after the picture is complete.")
    var run: String?

    @OptionGroup var engine: EngineArguments
    @OptionGroup var writing: OutputOptions

    func run() async throws {
        try await exitingOnError {
            var request = try picture.request(prompt: prompt ?? "")
            if writing.preview != nil { request.previewSide = OutputOptions.previewSide }
            try request.validate()
            try writing.check()
            let pipeline = try await engine.settings.pipeline(previewDecoder: writing.previewDecoder)
            guard prompt != nil || !pipeline.denoiser.traits.readsPrompts else {
                throw RequestError("prompt", found: "none", expected: "what the picture shows, which may be empty")
            }
            let plan = try picture.plan(request, for: pipeline)
            try plan.checkOutput(output, model: pipeline.denoiser.traits.name)
            try Feasibility.check(pipeline, plan.request, output: output)
            let directory = RunDirectory(path: run ?? output + ".run", notes: notes(pipeline))
            if (try? directory.record()) != nil {
                throw RunError(
                    path: directory.path,
                    message: "a painting is in progress here; \(PaintingJob.howToGoOn(directory)), or delete it")
            }
            let job = PaintingJob(
                pipeline: pipeline, output: output, writing: writing, keepsRun: run != nil, run: directory)
            try await job.finish { pipeline.paint(plan.request, run: directory) }
        }
    }

    /// What `resume` must know: the same precision gives the same bits.
    private func notes(_ pipeline: ParallelDiffusionPipeline) -> [String: String] {
        var notes = [
            "output": absolutePath(output), "device": engine.device, "modules": String(engine.modules),
            "precision": pipeline.denoiser.traits.precision, "keepsRun": String(run != nil),
        ]
        notes["model"] = engine.model.map(absolutePath)
        notes["refiner"] = engine.refiner.map(absolutePath)
        notes["vae"] = engine.vae.map(absolutePath)
        notes["latents"] = writing.latents.map(absolutePath)
        return notes
    }
}
