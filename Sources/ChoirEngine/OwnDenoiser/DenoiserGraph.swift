import ChoirModels
import ChoirRuntime
import ChoirTensor

/// The graph of a manifest as it was found in its file: every input bound to what the manifest says of it.
struct DenoiserGraph: Hashable, Sendable {
    /// A condition with the shape of its input.
    struct Condition: Hashable, Sendable {
        let declared: DenoiserCondition
        let shape: Shape
        let isWhole: Bool
    }

    /// What the file takes and gives.
    let file: ModelFile

    /// The name of the output.
    let output: String

    /// Shape of the input of the noise level, of one number in all.
    let levelShape: Shape

    /// Whether the noise level is told as an integer.
    let levelIsWhole: Bool

    /// The conditions, in the manifest's order.
    let conditions: [Condition]

    /// Whether the graph takes tiles of one size only.
    let fixesTile: Bool

    private let manifest: DenoiserManifest

    /// Reads the graph and compares all that it takes and gives with the manifest; compiles nothing.
    ///
    /// - Throws: `ModelError` that names the manifest and the field, or the graph's file, and what was found and expected.
    init(_ manifest: DenoiserManifest, _ runtime: OpenVINORuntime) throws(ModelError) {
        self.manifest = manifest
        try GraphFile.check(manifest.graphPath)
        let names = [manifest.sample, manifest.level, manifest.output].compactMap { $0 }
        do {
            file = try runtime.modelFile(
                manifest.graphPath, seeking: names + manifest.conditions.map(\.name))
        } catch {
            let kind = manifest.file.hasSuffix(".onnx") ? "an ONNX file" : "an OpenVINO IR"
            throw ModelError(manifest.graphPath, "this cannot be read as \(kind): \(error.reason)")
        }
        let ports = PortFinder(manifest: manifest, file: file)
        let sample = try ports.input(manifest.sample, field: "inputs.sample")
        fixesTile = try ports.checkSample(sample)
        let level = try ports.input(manifest.level, field: "inputs.level")
        (levelShape, levelIsWhole) = try ports.checkLevel(level)
        var conditions: [Condition] = []
        for condition in manifest.conditions {
            let port = try ports.input(condition.name, field: "conditions.\(condition.name)")
            conditions.append(try ports.bind(condition, to: port))
        }
        self.conditions = conditions
        output = try ports.output()
        try ports.checkNoOther()
        // A trial, because only shapes of inputs settle those of outputs.
        _ = try settled(runtime, height: manifest.tile, width: manifest.tile)
    }

    /// The file's description with the shapes for tiles of one size.
    ///
    /// - Throws: `ModelError` if the graph does not take such tiles, or predicts another shape.
    func settled(_ runtime: OpenVINORuntime, height: Int, width: Int) throws(ModelError) -> ModelFile {
        let tile: Shape = [1, manifest.channels, height, width]
        // Every input is one of these: others were refused when the graph was read.
        let known =
            [(manifest.sample, tile), (manifest.level, levelShape)]
            + conditions.map { ($0.declared.name, $0.shape) }
        let shapes = file.inputs.compactMap { port in known.first { $0.0 == port.name }?.1 }
        let settled: ModelFile
        do {
            settled = try runtime.modelFile(
                file.path, seeking: (file.inputs + file.outputs).map(\.name), inputShapes: shapes)
        } catch {
            throw ModelError(file.path, "this graph does not take tiles of \(height) x \(width): \(error.reason)")
        }
        for port in settled.outputs {
            let isPrediction = port.name == output
            let isSettled = port.dimensions?.allSatisfy { $0 != nil } ?? false
            guard isPrediction ? port.dimensions == tile.dimensions : isSettled else {
                throw ModelError(
                    file.path,
                    "output \(port.name): found the shape \(port.shapeDescription) for tiles of \(height) x \(width), "
                        + "expected \(isPrediction ? "\(tile)" : "one without open dimensions")")
            }
        }
        return settled
    }
}
