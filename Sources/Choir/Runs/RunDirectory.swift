import ChoirSampling
import ChoirTensor
import Dispatch
import Foundation

/// A directory that holds a painting in progress: its request, and its state after the last step.
///
/// Both files are replaced atomically. A painting that is killed at any moment continues from the last step that was
/// stored, and ends in the same pixels.
public struct RunDirectory: Hashable, Sendable {
    /// What a run directory says of its painting.
    public struct Record: Hashable, Sendable, Codable {
        /// The form of the files; this version of Choir reads 1.
        public var format = 1

        /// The name of the model, as its traits state it.
        public var model: String

        /// The name of its refiner; nil without.
        public var refiner: String?

        /// The name of the autoencoder in the place of the model's own; nil for that.
        public var autoencoder: String?

        /// What is painted.
        public var request: PaintRequest

        /// Whatever the program that started the run must know to finish it, such as where the picture goes.
        public var notes: [String: String]
    }

    /// Where it lies.
    public let path: String

    /// What the program that starts a run must know to finish it; stored with the request.
    public var notes: [String: String]

    /// A directory, which need not exist yet.
    public init(path: String, notes: [String: String] = [:]) {
        self.path = path
        self.notes = notes
    }

    private var requestPath: String { path + "/request.json" }
    private var statePath: String { path + "/state.safetensors" }
    private var noisePath: String { path + "/noise.safetensors" }

    /// What the run says of its painting.
    ///
    /// - Throws: `RunError` if the directory holds no painting, or its request cannot be read.
    public func record() throws -> Record {
        guard FileManager.default.fileExists(atPath: requestPath) else {
            throw RunError(path: path, message: "this is no run directory, it has no request.json")
        }
        let record: Record
        do {
            record = try JSONDecoder().decode(Record.self, from: Data(contentsOf: URL(fileURLWithPath: requestPath)))
        } catch {
            let reason = (error as? DecodingError)?.sentence ?? error.localizedDescription
            throw RunError(path: requestPath, message: "this is not the request of a run: \(reason)")
        }
        guard record.format == 1 else {
            throw RunError(path: requestPath, message: "found format \(record.format), expected 1")
        }
        return record
    }

    /// Deletes the run with its directory.
    public func remove() throws {
        try FileManager.default.removeItem(atPath: path)
    }

    /// Makes the directory and stores the request, with the noise that it names.
    ///
    /// - Throws: `RunError` if there is something already, which is never overwritten; `FileError` if it cannot be made.
    func start(_ request: PaintRequest, of denoiser: any Denoiser, noise: Tensor?) throws {
        let files = FileManager.default
        if let names = try? files.contentsOfDirectory(atPath: path), !names.isEmpty {
            let what = names.contains("request.json") ? "a painting, which can be resumed," : "other files"
            throw RunError(path: path, message: "this directory already holds \(what) so a new run cannot start here")
        }
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("make the directory", path, reason: error.localizedDescription)
        }
        // A copy: the run must end as it began, whatever becomes of the file. Before the request, which makes it a run.
        if let noise { try SafetensorsWriter.write(tensors: [GivenNoise.name: .float32(noise)], to: noisePath) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let record = Record(
            model: denoiser.traits.name, refiner: denoiser.refiner?.traits.name, autoencoder: denoiser.codec?.name,
            request: request, notes: notes)
        try AtomicFile.write(Array(encoder.encode(record)), to: requestPath)
    }

    /// The plan of the painting, for the model that it was started with.
    func plan(for denoiser: any Denoiser, modules: Int) throws -> PaintPlan {
        let traits = denoiser.traits
        let record = try record()
        guard record.model == traits.name else {
            throw RunError(
                path: requestPath, message: "this painting is by model \(record.model), not by \(traits.name)")
        }
        let refiner = denoiser.refiner?.traits
        for (part, recorded, found) in [
            ("refiner", record.refiner, refiner?.name), ("autoencoder", record.autoencoder, denoiser.codec?.name),
        ] where recorded != found {
            let usual = part == "refiner" ? "none" : "the model's own"
            throw RunError(
                path: requestPath,
                message: "this painting's \(part) is \(recorded ?? usual), not \(found ?? usual)")
        }
        do {
            return try PaintPlan(
                request: record.request, traits: traits, refiner: refiner, codec: denoiser.codec, modules: modules)
        } catch {
            throw RunError(path: requestPath, message: "\(error)")
        }
    }

    /// Stores a state in place of the last one. The disk is waited for on a thread of its own.
    func commit(_ state: RunState) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try write(state) })
            }
        }
    }

    private func write(_ state: RunState) throws {
        var tensors: [String: SafetensorsWriter.Content] = ["canvas": .float32(state.canvas)]
        if let memory = state.memory { tensors["memory"] = .float32(memory) }
        if let coarser = state.coarser { tensors["coarser"] = .float32(coarser) }
        if let first = state.publications.first {
            let elements = state.publications.flatMap(\.elements)
            let shape = Shape([state.publications.count] + first.shape.dimensions)
            tensors["publications"] = .float32(Tensor(shape: shape, elements: elements))
        }
        let metadata = ["stage": String(state.stage), "evaluation": String(state.evaluation)]
        try SafetensorsWriter.write(tensors: tensors, metadata: metadata, to: statePath)
    }

    /// The noise that the painting starts from in place of the seed's, or nil if its request names none.
    ///
    /// - Throws: `SafetensorsError` or `RunError` that names the file and what is wrong.
    func noise(for plan: PaintPlan, traits: ModelTraits) throws -> Tensor? {
        guard plan.request.noise != nil else { return nil }
        do {
            return try GivenNoise.read(noisePath, for: plan.stages[0].canvasShape(channels: traits.channels))
        } catch let error as RequestError {
            throw RunError(path: path, message: "\(error)")
        }
    }

    /// The last state that was stored, or nil if the run was ended before the first.
    ///
    /// - Throws: `RunError` or `SafetensorsError` that names the file and what is wrong, if it is not a state of this
    ///   plan.
    func state(for plan: PaintPlan, of denoiser: any Denoiser) throws -> RunState? {
        guard FileManager.default.fileExists(atPath: statePath) else { return nil }
        let file = try SafetensorsFile(path: statePath)
        let index = try number("stage", in: file, range: 0..<plan.stages.count)
        let stage = plan.stages[index]
        let traits = denoiser.expert(for: stage).traits
        let evaluation = try number("evaluation", in: file, range: 0..<stage.canvasEvaluations + 1)
        let shape = stage.stateShape(channels: traits.channels)
        var state = RunState(
            stage: index, evaluation: evaluation, canvas: try tensor("canvas", shape: shape, in: file), publications: []
        )
        if file.tensors["memory"] != nil { state.memory = try tensor("memory", shape: shape, in: file) }
        if let coarser = plan.refined(by: index)?.shapeForFiner(channels: traits.channels) {
            state.coarser = try tensor("coarser", shape: coarser, in: file)
        }
        if stage.publishesFirst, evaluation > 0 {
            let (count, tokens) = (stage.tiles.count, stage.tileShape.contextTokens)
            let width = traits.summary?.width ?? 0
            let all = try tensor("publications", shape: [count, tokens / count, width], in: file)
            let size = tokens / count * width
            state.publications = (0..<count).map {
                Tensor(shape: [tokens / count, width], elements: Array(all.elements[$0 * size..<($0 + 1) * size]))
            }
        }
        do {
            _ = try Sampler(
                stage.sampler, schedule: stage.schedule, eta: stage.eta, evaluation: evaluation, memory: state.memory)
        } catch {
            throw RunError(path: statePath, message: error.description)
        }
        return state
    }

    private func number(_ name: String, in file: SafetensorsFile, range: Range<Int>) throws -> Int {
        guard let text = file.metadata[name], let number = Int(text), range.contains(number) else {
            throw RunError(
                path: statePath,
                message:
                    "found \(name) \(file.metadata[name] ?? "missing"), expected \(range.lowerBound) to \(range.upperBound - 1)"
            )
        }
        return number
    }

    private func tensor(_ name: String, shape: Shape, in file: SafetensorsFile) throws -> Tensor {
        let found = try file.entry(name).shape
        guard found == shape else {
            throw RunError(path: statePath, message: "found \(name) of shape \(found), expected \(shape)")
        }
        return try file.floats(name)
    }
}
