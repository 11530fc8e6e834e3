/// Numbers, from 0 on, that one task has at a time; tasks that find none free wait in line without a thread.
actor FreeList {
    private var free: [Int]
    private var line: [CheckedContinuation<Int, Never>] = []

    init(count: Int) { free = Array((0..<count).reversed()) }

    /// Runs `body` with a number that nobody else has meanwhile.
    nonisolated(nonsending) func withNumber<Result>(
        _ body: nonisolated(nonsending) (Int) async throws -> Result
    ) async throws -> Result {
        let number = await take()
        do {
            let result = try await body(number)
            await give(number)
            return result
        } catch {
            await give(number)
            throw error
        }
    }

    private func take() async -> Int {
        if let number = free.popLast() { return number }
        return await withCheckedContinuation { line.append($0) }
    }

    private func give(_ number: Int) {
        if line.isEmpty {
            free.append(number)
        } else {
            line.removeFirst().resume(returning: number)
        }
    }
}
