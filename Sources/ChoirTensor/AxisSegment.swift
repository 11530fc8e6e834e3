/// A run of consecutive positions that a window and a canvas share on one axis.
struct AxisSegment: Hashable {
    /// Where the run begins in the window.
    var window: Int

    /// Where the run begins on the canvas.
    var canvas: Int

    /// The length of the run.
    var count: Int

    /// The runs that a window of `count` positions, beginning at `start`, shares with a canvas of `extent` positions.
    ///
    /// Without wrapping there is at most one. With it the runs cover the whole window, and a window longer than the
    /// canvas meets the same canvas position more than once.
    static func segments(start: Int, count: Int, extent: Int, wraps: Bool) -> [AxisSegment] {
        guard count > 0, extent > 0 else { return [] }
        guard wraps else {
            let first = max(start, 0)
            let end = min(start + count, extent)
            guard first < end else { return [] }
            return [AxisSegment(window: first - start, canvas: first, count: end - first)]
        }
        var segments: [AxisSegment] = []
        var window = 0
        var canvas = start % extent
        if canvas < 0 { canvas += extent }
        while window < count {
            let run = min(count - window, extent - canvas)
            segments.append(AxisSegment(window: window, canvas: canvas, count: run))
            window += run
            canvas = 0
        }
        return segments
    }
}
