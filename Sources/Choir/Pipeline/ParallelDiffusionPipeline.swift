import ChoirTensor

/// Paints pictures: many modules denoise tiles at the same time and, after every step, become one canvas.
///
/// ```swift
/// for try await event in pipeline.paint(request) {
///     if case .step(let done, let count) = event { print("\(done)/\(count)") }
/// }
/// ```
///
/// The same request gives the same canvas for any number of modules, bit for bit: tiles are pure functions of the
/// canvas, and every sum over tiles runs in the plan's order.
public struct ParallelDiffusionPipeline: Sendable {
    /// The model.
    public let denoiser: any Denoiser

    /// How many tiles are denoised at the same time.
    public let modules: Int

    /// A pipeline over a model.
    ///
    /// - Parameters:
    ///   - denoiser: The model.
    ///   - modules: How many tiles are denoised at the same time, 1 ... 256.
    /// - Throws: `RequestError` if the number of modules is out of its range.
    public init(denoiser: any Denoiser, modules: Int) throws {
        guard (1...256).contains(modules) else {
            throw RequestError("modules", found: "\(modules)", expected: "1 to 256")
        }
        self.denoiser = denoiser
        self.modules = modules
    }

    /// A request whose prompt's elements have places of their own, where the model finds several: "red nebula, golden
    /// clusters" becomes a map of both. Told everywhere at once, neither would have its colour.
    ///
    /// - Returns: The request as it is, if its prompt has no elements or more than `RegionMap.maximumElements`, if it has no
    ///   room for them beside its regions, or if it has a map already.
    /// - Throws: `RequestError` if an element is no content of a map.
    public func layingOutElements(of request: PaintRequest) throws -> PaintRequest {
        let elements = denoiser.elements(of: request.prompt)
        let most = min(RegionMap.maximumElements, PaintRequest.maximumRegions - (request.regions ?? []).count)
        guard request.map == nil, elements.count > 1, elements.count <= most else { return request }
        var laidOut = request
        laidOut.map = try RegionMap(
            elements: elements, size: request.size, tileable: request.tileable, seed: request.seed)
        return laidOut
    }

    /// What painting a request would do and take. Runs nothing.
    public func plan(_ request: PaintRequest) throws -> PaintPlan {
        try PaintPlan(
            request: request, traits: denoiser.traits, refiner: denoiser.refiner?.traits, codec: denoiser.codec,
            modules: modules)
    }

    /// What the painting of a run directory does and takes, as `plan(_:)` says of its request.
    ///
    /// - Throws: `RunError` if the directory holds no painting of this model, or its request cannot be painted.
    public func plan(_ run: RunDirectory) throws -> PaintPlan {
        try run.plan(for: denoiser, modules: modules)
    }

    /// Paints a picture.
    ///
    /// - Parameters:
    ///   - request: What to paint.
    ///   - run: Where to keep the state after each step, to be able to resume; nil keeps nothing.
    /// - Returns: Events up to `finished`. Ending the iteration, or cancelling its task, ends the painting; the run
    ///   directory then continues from the last step.
    public func paint(_ request: PaintRequest, run: RunDirectory? = nil) -> AsyncThrowingStream<PaintEvent, any Error> {
        events { continuation in
            let plan = try plan(request)
            let canvas = plan.stages[0].canvasShape(channels: denoiser.traits.channels)
            let noise = try request.noise.map { try GivenNoise.read($0, for: canvas) }
            try run?.start(request, of: denoiser, noise: noise)
            let painter = try await Painter(denoiser: denoiser, modules: modules, plan: plan, run: run, noise: noise)
            return try await painter.paint(from: nil) { continuation.yield($0) }
        }
    }

    /// Continues the picture of a run directory.
    ///
    /// - Parameters:
    ///   - run: The directory that `paint` was given.
    ///   - previewSide: Side of the previews, in pixels; nil for those of the request.
    /// - Returns: Events as of `paint`. The picture is the one that an undisturbed painting gives, bit for bit.
    public func resume(
        _ run: RunDirectory, previewSide: Int? = nil
    ) -> AsyncThrowingStream<PaintEvent, any Error> {
        events { continuation in
            var plan = try plan(run)
            plan.request.previewSide = previewSide ?? plan.request.previewSide
            try plan.request.validate()
            let state = try run.state(for: plan, of: denoiser)
            let noise = state == nil ? try run.noise(for: plan, traits: denoiser.traits) : nil
            let painter = try await Painter(denoiser: denoiser, modules: modules, plan: plan, run: run, noise: noise)
            return try await painter.paint(from: state) { continuation.yield($0) }
        }
    }

    /// A stream of what `body` yields and, at last, its painting.
    private func events(
        _ body: @escaping @Sendable (AsyncThrowingStream<PaintEvent, any Error>.Continuation) async throws -> Painting
    ) -> AsyncThrowingStream<PaintEvent, any Error> {
        AsyncThrowingStream { continuation in
            // The edge between structured concurrency and the consumer's loop: the task ends with the stream.
            let task = Task {
                do {
                    continuation.yield(.finished(try await body(continuation)))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
