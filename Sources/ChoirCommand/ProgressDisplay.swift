import Choir
import Foundation

/// The progress of a painting: a bar on a terminal, a line for each step elsewhere. On standard error.
struct ProgressDisplay {
    private let isQuiet: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var step = (done: 0, count: 0)
    private var tiles = (done: 0, count: 0)
    private var tilesBefore: Int?
    private var lastShown = ContinuousClock.now
    private static let barWidth = 28

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    mutating func show(_ event: PaintEvent) {
        guard !isQuiet else { return }
        switch event {
        case .planned(let plan):
            let size = plan.request.size
            line("\(size) pixels, \(plan.tiles) tiles at full size, \(plan.evaluations) evaluations of the network")
        case .tile(let done, let count):
            tilesBefore = tilesBefore ?? done - 1
            tiles = (done, count)
            // A terminal need not be told more often than an eye can follow.
            if isTerminal, ContinuousClock.now - lastShown > .milliseconds(100) { bar() }
        case .step(let done, let count):
            step = (done, count)
            if isTerminal { bar() } else { line(status) }
        case .preview, .finished: break
        }
    }

    /// Leaves the bar.
    func end() {
        if !isQuiet, isTerminal { line("") }
    }

    private mutating func bar() {
        lastShown = ContinuousClock.now
        let filled = tiles.count > 0 ? Self.barWidth * tiles.done / tiles.count : 0
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barWidth - filled)
        write("\r\(bar) \(status)\u{1B}[K")
    }

    private var status: String {
        let elapsed = (ContinuousClock.now - start).components
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
        let done = tiles.done - (tilesBefore ?? tiles.done)
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let left = rate > 0 ? Double(tiles.count - tiles.done) / rate : 0
        let percent = tiles.count > 0 ? 100 * tiles.done / tiles.count : 0
        return String(
            format: "%3d %%  step %d/%d  %.1f tiles/s  %d:%02d left", percent, step.done, step.count, rate,
            Int(left) / 60, Int(left) % 60)
    }

    private func line(_ text: String) { write(text + "\n") }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
