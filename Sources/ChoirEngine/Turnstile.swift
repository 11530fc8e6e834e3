import ChoirRuntime

/// Lets a number of tasks pass at a time; the others wait in line without a thread.
actor Turnstile {
    private var free: Int
    private var line: [CheckedContinuation<Void, Never>] = []

    init(places: Int) { free = places }

    /// Waits for a place.
    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { line.append($0) }
        }
    }

    /// Gives a place to the first in line.
    func leave() {
        if line.isEmpty {
            free += 1
        } else {
            line.removeFirst().resume()
        }
    }
}

extension InferenceRequest {
    /// Runs when it is its turn.
    ///
    /// - Returns: Seconds that the engine took, without the waiting.
    nonisolated(nonsending) func run(through turnstile: Turnstile) async throws -> Double {
        await turnstile.enter()
        do {
            let duration = try await run()
            await turnstile.leave()
            return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        } catch {
            await turnstile.leave()
            throw error
        }
    }
}
