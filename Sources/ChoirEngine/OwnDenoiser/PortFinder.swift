import ChoirModels
import ChoirRuntime
import ChoirTensor

/// Finds the inputs and outputs that a manifest names in a graph, and compares them with what it says.
struct PortFinder {
    let manifest: DenoiserManifest
    let file: ModelFile

    /// An input.
    func input(_ name: String, field: String) throws(ModelError) -> ModelFile.Port {
        guard let port = file.inputs.first(where: { $0.name == name }) else {
            throw refusal(
                field, "\"\(name)\"", "an input of \(manifest.file), which has \(list(file.inputs))")
        }
        return port
    }

    /// The output with the prediction.
    func output() throws(ModelError) -> String {
        let port: ModelFile.Port
        if let name = manifest.output {
            guard let found = file.outputs.first(where: { $0.name == name }) else {
                throw refusal(
                    "output", "\"\(name)\"", "an output of \(manifest.file), which has \(list(file.outputs))")
            }
            port = found
        } else {
            guard file.outputs.count == 1, let only = file.outputs.first else {
                throw ModelError(
                    manifest.path,
                    "output is missing, expected one of those of \(manifest.file): \(list(file.outputs))")
            }
            port = only
        }
        guard port.elementType == .numbers else {
            throw ModelError(
                file.path, "output \(port.name): found \(port.elementType), expected floating-point numbers")
        }
        return port.name
    }

    /// Refuses inputs that the manifest does not name: they would be told nothing.
    func checkNoOther() throws(ModelError) {
        let known = [manifest.sample, manifest.level] + manifest.conditions.map(\.name)
        guard let other = file.inputs.first(where: { !known.contains($0.name) }) else { return }
        throw ModelError(
            manifest.path,
            "conditions: found nothing for the input \"\(other.name)\" of \(manifest.file), expected a value")
    }

    /// - Returns: Whether tiles have one size only.
    func checkSample(_ port: ModelFile.Port) throws(ModelError) -> Bool {
        let name = "input \(port.name) (inputs.sample)"
        guard port.elementType == .numbers else {
            throw ModelError(file.path, "\(name): found \(port.elementType), expected floating-point numbers")
        }
        guard let extents = port.dimensions else { return false }
        guard extents.count == 4 else {
            throw ModelError(
                file.path,
                "\(name): found \(extents.count) dimensions, \(port.shapeDescription), expected 4: "
                    + "[1, channels, height, width]")
        }
        guard (extents[0] ?? 1) == 1 else {
            throw ModelError(file.path, "\(name): found a batch of \(extents[0] ?? 0), expected 1 or an open one")
        }
        if let channels = extents[1], channels != manifest.channels {
            throw refusal("channels", "\(manifest.channels)", "\(channels), as the \(name) of \(manifest.file) has")
        }
        switch (extents[2], extents[3]) {
        case (nil, nil): return false
        case (let height?, let width?):
            guard height == width, height == manifest.tile else {
                let expected = height == width ? "\(height)" : "a square graph or an open height and width"
                throw refusal(
                    "tile", "\(manifest.tile)",
                    "\(expected), because \(name) of \(manifest.file) is \(height) x \(width)")
            }
            return true
        default:
            throw ModelError(
                file.path, "\(name): found \(port.shapeDescription), expected height and width both open or neither")
        }
    }

    /// - Returns: The shape that one number is told in, and whether it is an integer.
    func checkLevel(_ port: ModelFile.Port) throws(ModelError) -> (shape: Shape, isWhole: Bool) {
        let name = "input \(port.name) (inputs.level)"
        let extents = port.dimensions ?? [1]
        guard extents.count <= 4, extents.allSatisfy({ ($0 ?? 1) == 1 }) else {
            throw ModelError(file.path, "\(name): found the shape \(port.shapeDescription), expected one number")
        }
        let shape = Shape(extents.map { $0 ?? 1 })
        switch (port.elementType, manifest.noise) {
        case (.numbers, _): return (shape, false)
        case (.integers, .timestep): return (shape, true)
        case (.integers, _):
            throw ModelError(
                file.path,
                "\(name): found integers, expected floating-point numbers, or noise.convention timestep in the manifest"
            )
        case (.others, _):
            throw ModelError(file.path, "\(name): found \(port.elementType), expected numbers")
        }
    }

    /// Compares a condition with its input.
    func bind(
        _ condition: DenoiserCondition, to port: ModelFile.Port
    ) throws(ModelError) -> DenoiserGraph.Condition {
        let field = "conditions.\(condition.name)"
        guard port.elementType != .others else {
            throw ModelError(file.path, "input \(port.name): found \(port.elementType), expected numbers or integers")
        }
        let open = port.dimensions ?? condition.shape ?? [1]
        let extents = condition.shape ?? open.map { $0 ?? 1 }
        guard extents.count == open.count, zip(extents, open).allSatisfy({ $1 == nil || $0 == $1 }) else {
            throw refusal("\(field).shape", "\(extents)", "\(port.shapeDescription), as \(manifest.file) has it")
        }
        // Extents of a file are as little trusted as anything else in it.
        let count = extents.reduce(1.0) { $0 * Double($1) }
        guard (1...Double(DenoiserCondition.maximumCount)).contains(count) else {
            throw ModelError(
                file.path,
                "input \(port.name): found the shape \(port.shapeDescription), expected at most "
                    + "\(DenoiserCondition.maximumCount) numbers")
        }
        let isWhole = port.elementType == .integers
        var told: [(String, [Double])] = []
        switch condition.source {
        case .constant(let numbers): told.append(("value", numbers))
        case .request(let numbers): if let numbers { told.append(("default", numbers)) }
        }
        if let numbers = condition.unconditional { told.append(("unconditional", numbers)) }
        for (name, numbers) in told {
            guard numbers.count == Int(count) else {
                throw refusal(
                    "\(field).\(name)", "\(numbers.count) numbers",
                    "\(Int(count)), for the shape \(extents) in \(manifest.file)")
            }
            if isWhole, let number = numbers.first(where: { !Self.isInteger($0) }) {
                throw refusal("\(field).\(name)", "\(number)", "an integer below 2^24, as \(manifest.file) takes it")
            }
        }
        return DenoiserGraph.Condition(declared: condition, shape: Shape(extents), isWhole: isWhole)
    }

    /// Whether a number is an integer that f32, in which all inputs are told, holds exactly.
    static func isInteger(_ number: Double) -> Bool { number == number.rounded() && abs(number) < 0x1p24 }

    private func refusal(_ field: String, _ found: String, _ expected: String) -> ModelError {
        ModelError(manifest.path, "\(field): found \(found), expected \(expected)")
    }

    private func list(_ ports: [ModelFile.Port]) -> String {
        ports.isEmpty ? "none" : ports.prefix(16).map(\.name).joined(separator: ", ")
    }
}

extension OpenVINOError {
    /// The engine's own words in one line, without the places in its code.
    var reason: String {
        let lines = message.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == " " } }
            .filter { !$0.isEmpty }
        let plain = lines.filter { !$0.contains("Exception from") && !$0.contains(" failed at ") }
        return String((plain.isEmpty ? lines : plain).joined(separator: " ").prefix(400))
    }
}
