import Foundation
import Glibc

/// A program of this package, as it was built beside the tests, and how it ended.
struct Program {
    /// What is left of a program that has ended.
    struct Outcome {
        /// The exit code, or minus the signal that ended it.
        var code: Int32
        var output: String
        var error: String

        var errorLines: [String] { error.split(separator: "\n").map(String.init) }
    }

    let path: String

    static let choir = Program(name: "choir")
    static let miniature = Program(name: "MiniParallelDiffusion")

    /// Where the build put the tests, the programs and the resources.
    static let buildDirectory = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    private static let cachePath = buildDirectory + "/ChoirCommandTests.cache"

    /// Compiled models are shared by the tests of one run, and take a gigabyte; what an earlier run left may be of other
    /// weights.
    private static let cacheDirectory: String = {
        try? FileManager.default.removeItem(atPath: cachePath)
        atexit { try? FileManager.default.removeItem(atPath: Program.cachePath) }
        return cachePath
    }()

    /// More programs at a time would only wait for each other.
    private static let places = Places(count: 2)

    private init(name: String) { path = Self.buildDirectory + "/" + name }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - directory: The working directory.
    ///   - environment: Variables that it has beside those of the tests.
    ///   - meanwhile: What happens while it runs; gets its process number.
    func run(
        _ arguments: [String], in directory: String, environment: [String: String] = [:],
        meanwhile: (@Sendable (pid_t) async throws -> Void)? = nil
    ) async throws -> Outcome {
        try await Self.places.taking {
            let logs = Scratch()
            let process = Process()
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            process.currentDirectoryURL = URL(fileURLWithPath: directory)
            process.environment = ProcessInfo.processInfo.environment.merging(
                ["XDG_CACHE_HOME": Self.cacheDirectory], uniquingKeysWith: { $1 }
            ).merging(environment, uniquingKeysWith: { $1 })
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try logs.create("output")
            process.standardError = try logs.create("error")
            let ended = AsyncStream<Void> { continuation in
                process.terminationHandler = { _ in continuation.finish() }
            }
            try process.run()
            try await meanwhile?(process.processIdentifier)
            for await _ in ended {}
            return Outcome(
                code: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
                output: logs.text("output"), error: logs.text("error"))
        }
    }
}

/// Lets a number of tasks pass at a time.
private actor Places {
    private var free: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    func taking<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { line.append($0) } }
        defer { if line.isEmpty { free += 1 } else { line.removeFirst().resume() } }
        return try await body()
    }
}
