import ArgumentParser
import Choir
import Foundation

@main struct ChoirCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "choir", abstract: "Paints ultra-high-resolution pictures by parallelised diffusion.",
        discussion: """
            Exit codes: 0 done; 64 a request or option that cannot be; 65 an input file that is missing, damaged or \
            of another kind; 69 more memory or disk than there is; 70 the engine failed; 73 the output cannot be written; 130 \
            interrupted, resumable.

            CHOIR_LOG in the environment names the least level of messages on standard error: trace, debug, info, notice, \
            warning (the default), error or critical.
            """,
        version: ChoirVersion.current,
        subcommands: [Generate.self, Resume.self, Tiles.self, Plan.self, Inspect.self, Seams.self])

    static func main() async {
        do {
            try Messages.begin()
        } catch {
            printError("\(error)")
            exit(withError: ExitCode(EX_USAGE))
        }
        await main(nil)
    }
}
