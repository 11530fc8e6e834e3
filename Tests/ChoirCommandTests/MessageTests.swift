import Testing

/// What the libraries say beside their results.
@Suite struct MessageTests {
    private func paint(_ environment: [String: String]) async throws -> Program.Outcome {
        let scratch = Scratch()
        let arguments = ["generate", "nebula", "--size", "64x64", "--steps", "1", "--quiet"]
        return try await Program.choir.run(arguments, in: scratch.path, environment: environment)
    }

    @Test func `nothing is said unless it is asked for`() async throws {
        let quiet = try await paint([:])
        #expect(quiet.code == 0)
        #expect(quiet.error.isEmpty)
        let told = try await paint(["CHOIR_LOG": "debug"])
        #expect(told.code == 0)
        #expect(told.error.contains("debug choir.runtime") && told.error.contains("compiled "))
    }

    @Test func `a cache that cannot be written is a warning`() async throws {
        let outcome = try await paint(["XDG_CACHE_HOME": "/dev/null/cache"])
        #expect(outcome.code == 0)
        #expect(
            outcome.errorLines.allSatisfy { $0.contains("warning") && $0.contains("/dev/null/cache/choir/openvino") })
        #expect(!outcome.errorLines.isEmpty)
    }

    @Test func `an unknown level is refused`() async throws {
        let outcome = try await paint(["CHOIR_LOG": "loud"])
        #expect(outcome.code == 64)
        #expect(
            outcome.error == "choir: CHOIR_LOG: found loud, expected one of "
                + "trace, debug, info, notice, warning, error, critical\n")
    }
}
