import ChoirModels
import ChoirTensor

/// What the coarsest level of a decoder has after its attention, for as many rows of a canvas as the windows of a row
/// of tiles need, or for the whole canvas.
///
/// These windows overlap, at that level by half of their area, and attention is most of the work there. So it is
/// computed once for each cell, in bands from the top, and kept until no window needs it any more.
struct AttendedRows {
    private let canvas: Tensor
    private let rows: DecoderAxis
    private let columns: DecoderAxis

    /// Gone when the whole canvas has been computed, and with it the keys and values.
    private var modules: AutoencoderModules?

    /// Row `y` of the canvas at row `y % height`: `[C, height, width]`.
    private var features: Tensor

    /// Bands that have been computed.
    private var bands = 0

    /// Compiles the network; nothing is computed yet.
    ///
    /// - Parameters:
    ///   - statistics: The pass that has measured the canvas, at least as far as its attention.
    ///   - windowHeight: The most rows that a window has.
    /// - Returns: nil for a decoder without attention.
    init?(_ statistics: DecoderStatistics, windowHeight: Int) async throws {
        canvas = statistics.canvas
        (rows, columns) = Self.axes(statistics.configuration, height: canvas.height, width: canvas.width)
        guard let modules = try await statistics.attendedModules(height: rows.sizes[0], width: columns.sizes[0]) else {
            return nil
        }
        self.modules = modules
        let height = Self.height(of: rows, windowHeight: windowHeight)
        features = Tensor(shape: [statistics.configuration.coarsestChannels, height, canvas.width])
    }

    /// Computes what is missing above a row of the canvas. Rows further above it than a window is high may be lost.
    mutating func advance(to bottom: Int) async throws {
        guard let modules else { return }
        while bands * rows.core < bottom {
            let (rows, columns, canvas, band) = (rows, columns, canvas, bands)
            try await modules.run(columns.count) { column in
                try Task.checkCancellation()
                return AutoencoderInput(
                    tensors: ["x": canvas.copy(region: rows.region(band, by: columns, column).window)])
            } output: { column, tensor in
                let (window, core) = rows.region(band, by: columns, column)
                features.write(
                    tensor, part: core.inside(window), x: core.x, y: core.y, border: .wrap(x: false, y: true))
            }
            bands += 1
        }
        if bands == rows.count { self.modules = nil }
    }

    /// A window of the rows that are there.
    func window(_ region: Region) -> Tensor { features.copy(region: region, border: .wrap(x: false, y: true)) }

    /// All rows, `[C, height, width]`, if they are kept.
    var whole: Tensor? { features.height == canvas.height ? features : nil }

    /// Bytes of the rows of a canvas.
    static func bytes(
        _ configuration: AutoencoderKLConfiguration, height: Int, width: Int, windowHeight: Int
    ) -> Int {
        guard configuration.hasAttention else { return 0 }
        let rows = Self.height(of: axes(configuration, height: height, width: width).rows, windowHeight: windowHeight)
        return 4 * configuration.coarsestChannels * rows * width
    }

    /// Rows that are kept: a window's, and those of its last band that it does not need yet.
    private static func height(of rows: DecoderAxis, windowHeight: Int) -> Int {
        min(windowHeight + rows.core, rows.extent)
    }

    /// The windows that one run computes: wide, because each run computes all keys and values, and low, so that few
    /// rows are kept.
    private static func axes(
        _ configuration: AutoencoderKLConfiguration, height: Int, width: Int
    ) -> (rows: DecoderAxis, columns: DecoderAxis) {
        let reaches = [configuration.openingReach]
        return (
            DecoderAxis(extent: height, largestCore: 32, reaches: reaches),
            DecoderAxis(extent: width, largestCore: 256, reaches: reaches)
        )
    }
}
