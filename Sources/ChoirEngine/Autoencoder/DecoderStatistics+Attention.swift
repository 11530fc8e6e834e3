import ChoirGraph
import ChoirModels
import ChoirTensor

/// The attention at the coarsest level.
extension DecoderStatistics {
    /// Runs the first residual block over the whole canvas, in f32, for what the attention after it attends to.
    ///
    /// - Returns: The moments of that block.
    mutating func measureContext(_ name: String, channels: Int) async throws -> GroupMoments {
        guard let opening else { return GroupMoments(means: [], squares: []) }
        let (largest, reaches) = (Self.largestAttendingWindow, [configuration.openingReach])
        let rows = DecoderAxis(extent: canvas.height, largestCore: largest, reaches: reaches)
        let columns = DecoderAxis(extent: canvas.width, largestCore: largest, reaches: reaches)
        let graph = try AutoencoderKLGraph.segment(
            .opening(name: opening, channels: channels), configuration, weights: weights, height: rows.sizes[0],
            width: columns.sizes[0])
        let modules = try await compile(graph, keeps: false, constants: constants(of: graph))
        var context = AttentionContext(
            height: canvas.height, width: canvas.width, channels: channels, limit: limits.attentionTokens)
        let canvas = canvas
        var parts = [ChannelMoments](
            repeating: ChannelMoments(channels: channels), count: rows.count * columns.count)
        try await modules.run(parts.count) { job in
            try Task.checkCancellation()
            let (window, _) = rows.region(job / columns.count, by: columns, job % columns.count)
            return AutoencoderInput(tensors: ["x": canvas.copy(region: window)])
        } output: { job, tensor in
            let (window, core) = rows.region(job / columns.count, by: columns, job % columns.count)
            parts[job].add(tensor, part: core.inside(window))
            context.add(tensor, part: core.inside(window), x: core.x, y: core.y)
        }
        var whole = ChannelMoments(channels: channels)
        for part in parts { whole.add(part) }
        normalize("\(name).group_norm", moments(whole), channels: channels)
        contextTokens = context.tokenCount
        shared.tensors["context"] = context.tokens()
        return moments(whole)
    }

    /// Computes what the whole canvas has after attention, if it may be kept.
    mutating func attend(channels: Int) async throws -> Tensor? {
        let bytes = AttendedRows.bytes(
            configuration, height: canvas.height, width: canvas.width, windowHeight: canvas.height)
        guard bytes <= limits.attendedBytes else { return nil }
        attended = try await AttendedRows(self, windowHeight: canvas.height)
        try await attended?.advance(to: canvas.height)
        shared.tensors["context"] = nil
        return attended?.whole
    }

    /// The blocks of a level that is there as a whole, `[C, height, width]`.
    func sampled(_ level: Tensor, channels: Int, _ field: SampledField) -> MeasuredFeatures {
        let level = level.reshaped(to: [1, channels, level.height, level.width])
        let whole = Region(x: 0, y: 0, width: level.width, height: level.height)
        var features = SampledFeatures(channels: channels, field: field)
        for (index, block) in field.blocks.enumerated() {
            features.write(level, window: whole, part: block.area, block: index, area: block.area)
        }
        return MeasuredFeatures(features: features, moments: moments(ChannelMoments(level, part: whole)))
    }

    /// The name of the first residual block.
    private var opening: String? {
        guard case .residual(let name, _, _)? = configuration.decoderParts.dropFirst().first else { return nil }
        return name
    }

    /// Modules that compute what a window of the canvas has after attention, in f32; nil for a decoder without any.
    func attendedModules(height: Int, width: Int) async throws -> AutoencoderModules? {
        for case .attention(let name, let channels) in configuration.decoderParts {
            guard let opening else { continue }
            let graph = try AutoencoderKLGraph.segment(
                .attended(opening: opening, name: name, channels: channels, contextTokens: contextTokens),
                configuration, weights: weights, height: height, width: width)
            return try await compile(graph, keeps: false, constants: constants(of: graph))
        }
        return nil
    }
}
