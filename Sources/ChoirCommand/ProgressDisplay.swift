import Choir
import Foundation

/// The progress of a painting: a bar on a terminal, a line for each step elsewhere. On standard error.
struct ProgressDisplay {
    private let isQuiet: Bool
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var step = (done: 0, count: 0)
    private var tiles = (done: 0, count: 0)
    /// The first tile that was seen, and when: what came before was compiling, or another process.
    private var first: (done: Int, moment: ContinuousClock.Instant)?
    private var lastShown = ContinuousClock.now
    private var isInBar = false
    private static let barWidth = 28

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    mutating func show(_ event: PaintEvent) {
        guard !isQuiet else { return }
        switch event {
        case .planned(let plan):
            let size = plan.request.size
            line("\(size) pixels, \(plan.tiles) tiles at full size, \(plan.evaluations) evaluations of the network")
            if isTerminal { write("\rcompiling the network") }
            isInBar = isTerminal
        case .tile(let done, let count):
            first = first ?? (done, .now)
            tiles = (done, count)
            // A terminal need not be told more often than an eye can follow.
            if isTerminal, ContinuousClock.now - lastShown > .milliseconds(100) { bar() }
        case .step(let done, let count):
            step = (done, count)
            if isTerminal { bar() } else { line(status) }
        case .disagreement, .preview, .finished: break
        }
    }

    /// Leaves the bar, if there is one.
    mutating func end() {
        if isInBar { line("") }
        isInBar = false
    }

    private mutating func bar() {
        lastShown = ContinuousClock.now
        isInBar = true
        // What reached the last column would wrap, and could not be overwritten.
        let status = String(status.prefix(Self.terminalWidth - 2))
        let width = max(0, min(Self.barWidth, Self.terminalWidth - status.count - 2))
        let filled = tiles.count > 0 ? width * tiles.done / tiles.count : 0
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        write("\r\(bar) \(status)\u{1B}[K")
    }

    /// Columns of the terminal; the corresponding C function is `ioctl` with `TIOCGWINSZ`.
    private static var terminalWidth: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private var status: String {
        let elapsed = first.map { (ContinuousClock.now - $0.moment) / .seconds(1) } ?? 0
        let done = tiles.done - (first?.done ?? tiles.done)
        let rate = elapsed > 0 ? Double(done) / elapsed : 0
        let seconds = rate > 0 ? Int(Double(tiles.count - tiles.done) / rate) : nil
        let left = seconds.map { String(format: "%d:%02d", $0 / 60, $0 % 60) } ?? "?:??"
        let percent = tiles.count > 0 ? 100 * tiles.done / tiles.count : 0
        let counts = String(format: "%3d %%  step %d/%d  %.1f tiles/s", percent, step.done, step.count, rate)
        return "\(counts)  \(left) left"
    }

    private func line(_ text: String) { write(text + "\n") }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
