import ArgumentParser
import Choir
import ChoirEngine
import ChoirImage
import ChoirTensor
import Dispatch
import Foundation

/// A painting from its first event to the written picture and its report.
struct PaintingJob: Sendable {
    let pipeline: ParallelDiffusionPipeline
    let output: String
    let writing: OutputOptions
    let keepsRun: Bool
    let run: RunDirectory

    /// Consumes the events. Ctrl-C, or an error, ends the process and says how to go on.
    func finish(_ events: @escaping @Sendable () -> AsyncThrowingStream<PaintEvent, any Error>) async throws {
        let painting = Task { try await consume(events()) }
        let interrupts = interruptSource { painting.cancel() }
        defer { interrupts.cancel() }
        do {
            try await painting.value
        } catch {
            let isResumable = (try? run.record()) != nil
            let code = painting.isCancelled ? 130 : exitCode(of: error)
            var sentence = painting.isCancelled ? "interrupted" : "\(error)"
            if isResumable, code != EX_DATAERR {
                sentence += "; " + Self.howToGoOn(run)
            } else if painting.isCancelled {
                sentence += "; nothing was painted yet"
            }
            printError(sentence)
            // Tiles that nobody waits for may still be denoised: what `exit` destroys would go away under them.
            _exit(code)
        }
    }

    /// What to type to continue a run, ready for a shell.
    static func howToGoOn(_ run: RunDirectory) -> String {
        let isPlain = run.path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+,".contains($0) }
        let path = isPlain ? run.path : "'" + run.path.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
        return "continue with: choir resume \(path)"
    }

    private func consume(_ events: AsyncThrowingStream<PaintEvent, any Error>) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        var progress = ProgressDisplay(isQuiet: writing.quiet)
        defer { progress.end() }
        var disagreement: [Double] = []
        for try await event in events {
            progress.show(event)
            switch event {
            case .disagreement(let value, _): disagreement.append(value)
            case .preview(let canvas):
                if let file = writing.preview { try canvas.writePreview(to: file) }
            case .finished(let painting):
                progress.end()
                if let file = writing.latents { try painting.writeLatents(to: file) }
                let written = try await painting.write(to: output)
                let seconds = (clock.now - start).components
                let report = PaintReport(
                    painting, written: written, modules: pipeline.modules,
                    precision: pipeline.denoiser.traits.precision,
                    overlapDisagreement: disagreement,
                    totalSeconds: Double(seconds.seconds) + Double(seconds.attoseconds) * 1e-18)
                if let file = writing.report { try AtomicFile.write(report.json(), to: file) }
                if !keepsRun { try run.remove() }
                if !writing.quiet { print(report.summary(output: output)) }
                return
            default: break
            }
        }
        // A cancelled consumer's stream ends without an error.
        throw CancellationError()
    }

    /// Calls `body` at Ctrl-C.
    private func interruptSource(_ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler(handler: body)
        source.resume()
        return source
    }
}
