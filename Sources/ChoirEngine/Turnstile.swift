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
