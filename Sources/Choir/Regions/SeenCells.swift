import ChoirTensor

/// The cells of the canvas that are denoised together, row by row.
struct SeenCells: Sendable {
    /// Which row of the canvas each row is.
    let rows: [Int]

    /// Which column of the canvas each column is.
    let columns: [Int]

    /// Whether they lie side by side.
    let isWindow: Bool

    /// Every row and column of its own; on a ring within its length.
    init(rows: [Int], columns: [Int]) {
        self.rows = rows
        self.columns = columns
        isWindow = false
    }

    /// - Parameter window: A part of the canvas, which may reach beyond its edges.
    init(_ window: Region) {
        rows = Array(window.minY..<window.maxY)
        columns = Array(window.minX..<window.maxX)
        isWindow = true
    }

    /// How many they are.
    var count: Int { rows.count * columns.count }
}
