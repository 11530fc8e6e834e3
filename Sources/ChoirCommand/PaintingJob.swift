import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import Dispatch
import Foundation

/// A painting from its first event to the written picture and its report.
struct PaintingJob: Sendable {
    let pipeline: ParallelDiffusionPipeline
    let output: String
    let writing: OutputOptions
    let keepsRun: Bool
    let run: RunDirectory

    /// Consumes the events; Ctrl-C ends the painting and says how to go on.
    func finish(_ events: @escaping @Sendable () -> AsyncThrowingStream<PaintEvent, any Error>) async throws {
        let painting = Task { try await consume(events()) }
        let interrupts = interruptSource { painting.cancel() }
        defer { interrupts.cancel() }
        do {
            try await painting.value
        } catch where painting.isCancelled {
            printError("interrupted; continue with: choir resume \(run.path)")
            throw ExitCode(130)
        }
    }

    private func consume(_ events: AsyncThrowingStream<PaintEvent, any Error>) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        var progress = ProgressDisplay(isQuiet: writing.quiet)
        for try await event in events {
            progress.show(event)
            switch event {
            case .preview(let canvas):
                if let file = writing.preview { try canvas.writePreview(to: file) }
            case .finished(let painting):
                progress.end()
                let written = try painting.write(to: output)
                let seconds = (clock.now - start).components
                let report = PaintReport(
                    painting, written: written, modules: pipeline.modules, precision: pipeline.denoiser.traits.precision,
                    totalSeconds: Double(seconds.seconds) + Double(seconds.attoseconds) * 1e-18)
                if let file = writing.report { try OutputFile.write(report.json(), to: file) }
                if !keepsRun { try run.remove() }
                if !writing.quiet { print(report.summary(output: output)) }
            default: break
            }
        }
        // A cancelled consumer's stream ends without an error.
        try Task.checkCancellation()
    }

    /// Calls `body` at Ctrl-C, and at the signal that a system sends before it goes down.
    private func interruptSource(_ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler(handler: body)
        source.resume()
        return source
    }
}
