import CMalloc
public import Choir
public import ChoirGraph
public import ChoirModels
import ChoirRuntime
public import ChoirTensor

/// The autoencoder of a checkpoint: from pictures to latents and back, at any size.
///
/// A canvas larger than a tile is decoded in two passes: one that learns the statistics of the whole canvas
/// (see ``AutoencoderLimits/statisticsBytes``) and one that decodes tile after tile with them. Nothing is blended, as
/// there is nothing to hide: with the same statistics and wide enough windows a tile is what a whole decode would have
/// there. Numbers are f32 unless ``EngineOptions/precision`` is bf16; f16, in which SDXL's autoencoder overflows, is
/// never used.
public struct AutoencoderCodec: LatentCodec {
    /// The network's sizes.
    public let configuration: AutoencoderConfiguration

    /// What may be held in memory.
    public let limits: AutoencoderLimits

    /// Pixels along a side of a cell.
    public var pixelsPerCell: Int { configuration.pixelsPerCell }

    /// Channels of a canvas.
    public var latentChannels: Int { configuration.latentChannels }

    /// The name where it is not the checkpoint's own.
    public internal(set) var name: String?

    /// What paints previews; nil for this autoencoder itself.
    var previews: (any LatentCodec)?

    private let weights: WeightStore
    private let compile: AutoencoderCompiler

    /// Prepares an autoencoder; nothing is compiled yet.
    ///
    /// - Parameters:
    ///   - configuration: The network's sizes.
    ///   - weights: Its weights, under diffusers' names.
    ///   - options: Where and how it runs.
    ///   - modules: How many tiles are decoded at the same time; the picture does not depend on it. Each holds the
    ///     activations of a tile.
    ///   - limits: What may be held in memory.
    /// - Throws: An error if the engine does not start.
    public init(
        configuration: AutoencoderConfiguration, weights: WeightStore, options: EngineOptions = EngineOptions(),
        modules: Int = 1, limits: AutoencoderLimits = AutoencoderLimits()
    ) throws {
        self.configuration = configuration
        self.weights = weights
        self.limits = limits
        compile = AutoencoderCompiler(runtime: try OpenVINORuntime(), options: options, modules: max(modules, 1))
    }

    /// Decodes a canvas without ever holding the whole picture.
    ///
    /// - Parameters:
    ///   - canvas: Clean latents of unit variance, as the sampler leaves them, `[latentChannels, height, width]`, any
    ///     height and width above 0.
    ///   - strip: Is given the picture from top to bottom, one strip after another: `[3, rows, width · pixelsPerCell]`
    ///     in -1 ... 1, `height · pixelsPerCell` rows in all. What it throws ends the decoding.
    /// - Throws: `AutoencoderError` for a canvas of another shape, `GraphError` that names a weight that is missing or
    ///   has another shape, and `CancellationError`.
    public func decode(_ canvas: Tensor, strip: (Tensor) async throws -> Void) async throws {
        let (rows, columns) = try axes(of: canvas)
        if rows.count * columns.count == 1 {
            let graph = try configuration.decoder(weights: weights, height: canvas.height, width: canvas.width)
            let picture = try await compile(graph, keeps: true).runOnce(["latents": canvas])
            try await strip(clamped(picture.reshaped(to: Shape(picture.shape.dimensions.suffix(3)))))
            return
        }
        let graph: Graph
        var shared = AutoencoderInput()
        var attended: AttendedRows?
        switch configuration {
        case .kl(let configuration):
            var statistics = DecoderStatistics(
                configuration, weights: weights, compile: compile, canvas: canvas, limits: limits)
            try await statistics.measure()
            // Else the allocator keeps what the pass had, half a gigabyte that the tiles then take anew.
            malloc_trim(0)
            graph = try AutoencoderKLGraph.tileDecoder(configuration, weights: weights, rows: rows, columns: columns)
            shared = statistics.constants(of: graph)
            attended = statistics.attended
            if attended == nil { attended = try await AttendedRows(statistics, windowHeight: rows.sizes[0]) }
        case .tiny(let configuration):
            graph = try AutoencoderTinyGraph.tileDecoder(configuration, weights: weights, rows: rows, columns: columns)
        }
        let modules = try await compile(graph, keeps: true, constants: shared)
        try await decode(canvas, rows: rows, columns: columns, attended: attended, by: modules, strip: strip)
    }

    /// A small picture, by the decoder for previews if there is one.
    public func preview(of canvas: Tensor) async throws -> Tensor {
        if let previews { return try await previews.preview(of: canvas) }
        return try await decoded(canvas)
    }

    /// Bytes that decoding holds at its peak, about, without the canvas and the mapped file of the weights.
    ///
    /// - Parameters:
    ///   - height: Rows of the canvas; positive.
    ///   - width: Columns of the canvas; positive.
    public func decodingBytes(height: Int, width: Int) -> Int {
        let (rows, columns) = axes(height: height, width: width)
        let largest = configuration.decoderChannels.indices.map { level in
            4 * configuration.decoderChannels[level] * rows.sizes[level] * columns.sizes[level]
        }
        // Three values of the widest level are alive at a time, and bands of rows: measured at three sizes.
        let activations = 34 * (largest.max() ?? 0) / 10
        guard rows.count * columns.count > 1 else { return configuration.decoderBytes + activations }
        let modules = compile.modules
        let tiles = activations * modules + 12 * rows.core * width * pixelsPerCell * pixelsPerCell
        guard case .kl(let network) = configuration else { return configuration.decoderBytes + tiles }
        let context = configuration.contextBytes(tokens: min(height * width, limits.attentionTokens))
        // As it is given, and its keys and values, which the engine holds twice.
        let attending = 5 * context * modules
        let whole = AttendedRows.bytes(network, height: height, width: width, windowHeight: height)
        let isKept = whole <= limits.attendedBytes
        let attended =
            isKept
            ? whole : AttendedRows.bytes(network, height: height, width: width, windowHeight: rows.sizes[0]) + attending
        let statistics =
            limits.statisticsBytes + (isKept ? whole : context)
            + max(DecoderStatistics.windowBytes(configuration) * modules, attending)
        return configuration.decoderBytes + max(tiles + attended, statistics)
    }

    /// Encodes a picture: the mean of the posterior.
    ///
    /// - Parameter picture: `[3, height, width]` in -1 ... 1; both sides multiples of ``pixelsPerCell``, and no more
    ///   pixels than ``AutoencoderLimits/encodedPixels``.
    /// - Returns: Latents of unit variance, `[latentChannels, height / pixelsPerCell, width / pixelsPerCell]`.
    public func encode(_ picture: Tensor) async throws -> Tensor {
        guard picture.shape.rank == 3, picture.shape[0] == 3, picture.shape.elementCount > 0,
            picture.height % pixelsPerCell == 0, picture.width % pixelsPerCell == 0
        else {
            throw AutoencoderError(
                "cannot encode a picture of shape \(picture.shape): expected [3, height, width] with sides that are "
                    + "multiples of \(pixelsPerCell)")
        }
        guard picture.height * picture.width <= limits.encodedPixels else {
            throw AutoencoderError(
                "cannot encode a picture of \(picture.width) x \(picture.height) pixels: found "
                    + "\(picture.height * picture.width) pixels, expected at most \(limits.encodedPixels)")
        }
        let graph = try configuration.encoder(weights: weights, height: picture.height, width: picture.width)
        let latents = try await compile(graph, keeps: true).runOnce(["picture": picture])
        return latents.reshaped(to: Shape(latents.shape.dimensions.suffix(3)))
    }

    private func axes(of canvas: Tensor) throws -> (rows: DecoderAxis, columns: DecoderAxis) {
        guard canvas.shape.rank == 3, canvas.shape[0] == latentChannels, canvas.shape.elementCount > 0 else {
            throw AutoencoderError(
                "cannot decode a canvas of shape \(canvas.shape): expected [\(latentChannels), height, width]")
        }
        return axes(height: canvas.height, width: canvas.width)
    }

    private func axes(height: Int, width: Int) -> (rows: DecoderAxis, columns: DecoderAxis) {
        let isWhole = !height.multipliedReportingOverflow(by: width).overflow && height * width <= limits.wholeCells
        func axis(_ extent: Int) -> DecoderAxis {
            DecoderAxis(
                extent: extent, largestCore: isWhole ? extent : max(limits.tileSide, 1),
                reaches: configuration.tileReaches)
        }
        return (axis(height), axis(width))
    }

    /// The second pass.
    private func decode(
        _ canvas: Tensor, rows: DecoderAxis, columns: DecoderAxis, attended: AttendedRows?,
        by modules: AutoencoderModules, strip: (Tensor) async throws -> Void
    ) async throws {
        let scale = pixelsPerCell
        let last = rows.sizes.count - 1
        var attended = attended
        for row in 0..<rows.count {
            try await attended?.advance(to: rows.starts(row)[0] + rows.sizes[0])
            let features = attended
            var band = Tensor(shape: [3, rows.core(row).count * scale, canvas.width * scale])
            try await modules.run(columns.count) { column in
                try Task.checkCancellation()
                let (window, _) = rows.region(row, by: columns, column)
                var input = AutoencoderInput()
                if let features {
                    input.tensors["attended"] = features.window(window)
                } else {
                    input.tensors["latents"] = canvas.copy(region: window)
                }
                for level in 1..<max(rows.sizes.count, 1) {
                    for (name, side, index) in [("rows", rows, row), ("columns", columns, column)]
                    where side.isCut(level: level) {
                        input.integers["\(name)\(level)"] = Array(side.crop(index, level: level))
                    }
                }
                return input
            } output: { column, picture in
                let (window, core) = rows.region(row, by: columns, column, level: last)
                band.write(picture, part: core.inside(window), x: core.x, y: 0)
            }
            try await strip(clamped(band))
        }
    }

    private func clamped(_ picture: Tensor) -> Tensor {
        var picture = picture
        picture.withMutableSpan { pixels in
            for index in pixels.indices { pixels[unchecked: index] = min(max(pixels[unchecked: index], -1), 1) }
        }
        return picture
    }
}

extension AutoencoderModules {
    /// Runs once.
    func runOnce(_ tensors: [String: Tensor]) async throws -> Tensor {
        var result = Tensor(shape: [0])
        try await run(1) { _ in
            AutoencoderInput(tensors: tensors)
        } output: { _, tensor in
            result = tensor
        }
        return result
    }
}
