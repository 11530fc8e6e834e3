import ArgumentParser
import Choir
import ChoirEngine

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
            try OutputFile.check(file, size: record.request.size)
            let pipeline = try await settings(record.notes).pipeline()
            let job = PaintingJob(
                pipeline: pipeline, output: file, writing: writing, keepsRun: record.notes["keepsRun"] == "true",
                run: directory)
            try await job.finish { pipeline.resume(directory) }
        }
    }

    /// The precision must be the one that the painting was started in: another rounds otherwise.
    private func settings(_ notes: [String: String]) throws -> EngineSettings {
        var settings = EngineSettings()
        if let count = modules ?? notes["modules"].flatMap({ Int($0) }) { settings.modules = count }
        if let name = notes["precision"] { settings.precision = try EngineSettings.precision(named: name) }
        if let device = notes["device"] { settings.device = device }
        settings.model = notes["model"]
        return settings
    }
}
