import ChoirGraph
import ChoirModels
import ChoirTensor

/// The first of two passes over a canvas: learns the statistics that all tiles of the second share.
///
/// A whole decode normalises each layer by the mean and variance of the whole canvas. A tile that took its own would
/// differ from its neighbours in tone, and blending only hides where. So this pass runs the decoder layer by layer,
/// pauses at every group normalisation, and computes what is normalised, over the whole level as long as its
/// activations fit into a fixed memory, and over evenly spread blocks where they do not. Blocks are far smaller than
/// the tiles of the second pass, because many small ones tell more than few large ones, and their number at each level
/// is such that the pass's work and memory do not grow with the canvas. What blocks have in excess of the whole at one
/// layer is known from the layer before, and weighs them; see ``calibratedWeights(_:known:whole:)``.
///
/// The attention at the coarsest level is of every cell to every cell. Its keys and values need only the first residual
/// block, which is run over the whole canvas. A canvas with more cells than the limit is averaged down to it for that.
/// What it gives is computed here, if all of it may be kept, and else for the rows of tiles (``AttendedRows``).
struct DecoderStatistics {
    let configuration: AutoencoderKLConfiguration
    let canvas: Tensor
    let weights: WeightStore
    let compile: AutoencoderCompiler
    let limits: AutoencoderLimits

    /// The inputs of the second pass that tell it what this one has learned.
    var shared = AutoencoderInput()

    /// What the coarsest level attends to, in cells.
    var contextTokens = 0

    /// What it has after attention, where the limits let it be kept.
    var attended: AttendedRows?

    init(
        _ configuration: AutoencoderKLConfiguration, weights: WeightStore, compile: AutoencoderCompiler, canvas: Tensor,
        limits: AutoencoderLimits
    ) {
        self.configuration = configuration
        self.weights = weights
        self.compile = compile
        self.canvas = canvas
        self.limits = limits
    }

    /// Runs the pass.
    mutating func measure() async throws {
        var level = 0
        var field = SampledField(
            height: canvas.height, width: canvas.width, cells: cells(level: 0), reaches: configuration.decoderReaches)
        var current = MeasuredFeatures(field: field)
        for part in configuration.decoderParts {
            switch part {
            case .entrance:
                current = try await advance(.entrance, [], channels: width(0), over: &field)
            case .residual(let name, let inputs, let outputs):
                normalize("\(name).norm1", current)
                let hidden = try await advance(
                    .hidden(name: name, inputs: inputs, outputs: outputs), [("x", current)], channels: outputs,
                    over: &field)
                normalize("\(name).norm2", hidden)
                // Only one copy of what is replaced may be left.
                var input: MeasuredFeatures? = current
                current = MeasuredFeatures(field: field)
                let segment = AutoencoderKLGraph.Segment.residual(name: name, inputs: inputs, outputs: outputs)
                if outputs <= inputs {
                    current = try await advance(
                        segment, [("hidden", hidden)], replacing: input.take(), channels: outputs, over: &field)
                } else if let input {
                    current = try await advance(
                        segment, [("x", input), ("hidden", hidden)], channels: outputs, over: &field)
                }
            case .attention(let name, let channels):
                current.moments = try await measureContext(name, channels: channels)
                if let kept = try await attend(channels: channels) {
                    current = sampled(kept, channels: channels, field)
                } else {
                    current = try await advance(
                        .attention(name: name, channels: channels, contextTokens: contextTokens), [("x", current)],
                        channels: channels, over: &field)
                }
            case .upsampling(let name, let channels):
                level += 1
                let parent = field
                field = field.next(cells: cells(level: level))
                current = try await advance(
                    .upsampling(name: name, channels: channels), [("x", current)], channels: channels, over: &field,
                    from: parent)
            case .exit:
                normalize("decoder.conv_norm_out", current)
            }
        }
    }

    private func width(_ level: Int) -> Int {
        configuration.blockChannels[configuration.blockChannels.count - 1 - level]
    }

    /// The most cells of a level whose activations fit into the memory: what a residual block takes, the place of its
    /// result too, and what is between.
    private func cells(level: Int) -> Int {
        let bytesPerCell = 2 * (width(max(level - 1, 0)) + width(level))
        return max(limits.statisticsBytes / bytesPerCell, 1)
    }

    private mutating func normalize(_ name: String, _ measured: MeasuredFeatures) {
        normalize(name, measured.moments, channels: measured.features.channels)
    }

    mutating func normalize(_ name: String, _ moments: GroupMoments, channels: Int) {
        let normalization = moments.normalization(channels: channels, epsilon: AutoencoderKLConfiguration.epsilon)
        shared.tensors["\(name).gain"] = normalization.gain
        shared.tensors["\(name).offset"] = normalization.offset
    }

    /// What this pass has learned, for a graph that has it as inputs.
    func constants(of graph: Graph) -> AutoencoderInput {
        let names = Set(graph.inputs.map(\.name))
        return AutoencoderInput(tensors: shared.tensors.filter { names.contains($0.key) })
    }

    /// Runs one segment over the blocks of a field.
    ///
    /// - Parameters:
    ///   - segment: What to run.
    ///   - inputs: What it takes, by name; nothing for the canvas itself.
    ///   - replaced: What it takes as `x` if its result may come into the same place, because a cell of the result needs
    ///     only the same cell of it.
    ///   - channels: Of what it gives.
    ///   - field: The blocks; what convolutions spoil at their sides is marked.
    ///   - parent: The field of the inputs if it is that of the level before, of half the side.
    private func advance(
        _ segment: AutoencoderKLGraph.Segment, _ inputs: [(name: String, measured: MeasuredFeatures)],
        replacing replaced: consuming MeasuredFeatures? = nil, channels: Int, over field: inout SampledField,
        from parent: SampledField? = nil
    ) async throws -> MeasuredFeatures {
        var reaches = [1]
        var largest = Self.largestWindow
        if case .attention = segment {
            reaches = [0]
            largest = Self.largestAttendingWindow
        } else {
            field.convolve()
        }
        // The graph doubles the sides, so that windows begin and end between the pairs.
        if parent != nil { reaches = [0, 1] }
        let windows = FieldWindows(field, largestCore: largest, reaches: reaches)
        let graph = try AutoencoderKLGraph.segment(
            segment, configuration, weights: weights, height: windows.height, width: windows.width)
        let modules = try await compile(graph, keeps: false, constants: constants(of: graph))
        // What is known of the whole level, in the order of the inputs.
        var whole = inputs.isEmpty ? latentMoments.numbers : []
        whole += replaced?.moments.numbers ?? []
        whole += inputs.flatMap(\.measured.moments.numbers)
        let replaces = replaced != nil
        var result = replaced.take()?.features ?? SampledFeatures(channels: channels, field: field)
        var parts = [ChannelMoments](repeating: ChannelMoments(channels: channels), count: windows.count)
        var known = [[Double]](repeating: whole, count: windows.count)
        try await modules.run(windows.count) { job in
            try Task.checkCancellation()
            let (number, block) = windows.block(job)
            let window = windows.input(job)
            var given: [(name: String, tensor: Tensor)] = []
            if inputs.isEmpty { given.append(("x", canvas.copy(region: window))) }
            if replaces { given.append(("x", result.window(number, area: block.area, window))) }
            for (name, measured) in inputs {
                let tensor = measured.features.window(
                    parent == nil ? number : block.parent,
                    area: parent?.blocks[block.parent].area ?? block.area, window)
                given.append((name, tensor))
            }
            if windows.blocks.count > 1, let valid = windows.output(job).core.intersection(block.valid) {
                let part = valid.divided(by: windows.scale).inside(window)
                known[job] = given.flatMap { moments(ChannelMoments($0.tensor, part: part)).numbers }
            }
            return AutoencoderInput(tensors: Dictionary(uniqueKeysWithValues: given))
        } output: { job, tensor in
            let (number, block) = windows.block(job)
            let (window, core) = windows.output(job)
            result.write(tensor, window: window, part: core, block: number, area: block.area)
            guard let valid = core.intersection(block.valid) else { return }
            parts[job].add(tensor, part: valid.inside(window))
        }
        result.truncate(channels: channels)
        let total = Double(parts.map(\.count).reduce(0, +))
        let shares = parts.map { Double($0.count) / max(total, 1) }
        return MeasuredFeatures(
            features: result,
            moments: GroupMoments(ofBlocks: parts.map(moments), weights: shares, known: known, whole: whole))
    }

    /// The moments of groups, or for fewer channels of each.
    func moments(_ channels: ChannelMoments) -> GroupMoments {
        channels.grouped(min(configuration.groups, channels.sums.count))
    }

    /// The moments of the canvas.
    private var latentMoments: GroupMoments {
        moments(ChannelMoments(canvas, part: Region(x: 0, y: 0, width: canvas.width, height: canvas.height)))
    }

    /// Bytes of the activations of one run.
    static func windowBytes(_ configuration: AutoencoderConfiguration) -> Int {
        3 * 4 * (configuration.decoderChannels.max() ?? 0) * (largestWindow + 2) * (largestWindow + 2)
    }

    /// The largest core of a window that one run computes, in cells of its level.
    private static let largestWindow = 256
    static let largestAttendingWindow = 128
}
