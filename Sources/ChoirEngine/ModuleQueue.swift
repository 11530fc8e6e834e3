/// Modules of which each serves one task at a time; tasks that find none free wait in line without a thread.
struct ModuleQueue<Module: Sendable>: Sendable {
    private let modules: [Module]
    private let free: FreeList

    init(_ modules: [Module]) {
        self.modules = modules
        free = FreeList(count: modules.count)
    }

    /// Runs `body` with a module that nobody else has meanwhile.
    func withModule<Result: Sendable>(
        _ body: @Sendable (Module) async throws -> Result
    ) async throws -> Result {
        let index = await free.take()
        do {
            let result = try await body(modules[index])
            await free.give(index)
            return result
        } catch {
            await free.give(index)
            throw error
        }
    }
}

/// Which modules have nothing to do.
private actor FreeList {
    private var free: [Int]
    private var line: [CheckedContinuation<Int, Never>] = []

    init(count: Int) { free = Array((0..<count).reversed()) }

    func take() async -> Int {
        if let index = free.popLast() { return index }
        return await withCheckedContinuation { line.append($0) }
    }

    func give(_ index: Int) {
        if line.isEmpty {
            free.append(index)
        } else {
            line.removeFirst().resume(returning: index)
        }
    }
}
