import ArgumentParser
import Choir
import ChoirEngine
import ChoirRuntime

/// Continues a painting that was interrupted.
struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continues a painting that was interrupted, to the same pixels.")

    @Argument(help: "The run directory, such as choir.png.run.")
    var run: String

    @Option(help: "The picture's file. Default: as the painting was started.")
    var output: String?

    @Option(help: "Tiles denoised at the same time. Default: as the painting was started.")
    var modules: Int?

    @OptionGroup var writing: OutputOptions

    func run() async throws {
        try await exitingOnError {
            let directory = RunDirectory(path: run)
            let record = try directory.record()
            guard let file = output ?? record.notes["output"] else {
                throw RunError(path: run, message: "it does not say where the picture goes: name it by --output")
            }
            var writing = writing
            writing.latents = writing.latents ?? record.notes["latents"]
            try writing.check()
            let pipeline = try await settings(record.notes).pipeline(previewDecoder: writing.previewDecoder)
            let plan = try pipeline.plan(directory)
            try plan.checkOutput(file, model: record.model)
            try Feasibility.checkMemory(pipeline, plan.request)
            let job = PaintingJob(
                pipeline: pipeline, output: file, writing: writing, keepsRun: record.notes["keepsRun"] == "true",
                run: directory)
            let previewSide = writing.preview.map { _ in OutputOptions.previewSide }
            try await job.finish { pipeline.resume(directory, previewSide: previewSide) }
        }
    }

    /// The precision must be the one that the painting was started in: another rounds otherwise.
    private func settings(_ notes: [String: String]) throws -> EngineSettings {
        var settings = EngineSettings()
        if let modules {
            settings.modules = modules
        } else if let text = notes["modules"] {
            guard let count = Int(text), (1...256).contains(count) else {
                throw RunError(path: run, message: "its request.json notes \(text) modules, expected 1 to 256")
            }
            settings.modules = count
        }
        if let name = notes["precision"] {
            guard let precision = CompileOptions.Precision(rawValue: name) else {
                throw RunError(path: run, message: "its request.json notes precision \(name), which there is not")
            }
            settings.precision = precision
        }
        if let device = notes["device"] { settings.device = device }
        settings.model = notes["model"]
        settings.refiner = notes["refiner"]
        settings.vae = notes["vae"]
        return settings
    }
}
