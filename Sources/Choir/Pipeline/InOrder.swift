/// Runs `body` for all elements, some at a time, and `each` with the results in the order of the elements.
///
/// What comes early waits for its turn: sums that `each` makes do not depend on who was faster.
///
/// - Parameters:
///   - elements: What to work on.
///   - count: How many are worked on at the same time.
func inOrder<Element: Sendable, Result: Sendable>(
    _ elements: [Element], atATime count: Int, body: @escaping @Sendable (Element) async throws -> Result,
    each: (Int, Result) -> Void
) async throws {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var waiting: [Int: Result] = [:]
        var started = 0
        var finished = 0
        func start() {
            guard started < elements.count else { return }
            let (index, element) = (started, elements[started])
            started += 1
            group.addTask { (index, try await body(element)) }
        }
        for _ in 0..<count { start() }
        while let (index, result) = try await group.next() {
            waiting[index] = result
            start()
            while let next = waiting.removeValue(forKey: finished) {
                each(finished, next)
                finished += 1
            }
        }
    }
}
