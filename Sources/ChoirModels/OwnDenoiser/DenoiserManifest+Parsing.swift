import ChoirSampling
import Foundation

extension DenoiserManifest {
    /// Reads the manifest of a folder, and makes sure that the files which it names are there.
    ///
    /// - Parameter directory: A folder with `choir.json`.
    /// - Throws: `ModelError` that names the file and the field.
    public init(directory: String) throws(ModelError) {
        let path = (directory.hasSuffix("/") ? directory : directory + "/") + Self.fileName
        try self.init(ConfigurationFields(path: path))
        var needed = [graphPath]
        if file.hasSuffix(".xml") { needed.append(graphPath.dropLast(3) + "bin") }
        for file in needed {
            var isDirectory: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
            guard exists, !isDirectory.boolValue else {
                let found = exists ? "a folder" : "no such file"
                throw ModelError(path, "file: found \"\(self.file)\", and \(found) at \(file)")
            }
        }
    }

    /// Takes a manifest from its fields.
    ///
    /// - Throws: `ModelError` that names the file and the field, such as one that is not known.
    public init(_ fields: ConfigurationFields) throws(ModelError) {
        try fields.refuseOthers(than: [
            "name", "file", "inputs", "output", "conditions", "prediction", "noise", "channels", "tile", "overlap",
            "alignment", "range", "sampler", "steps", "guidance", "start",
        ])
        path = fields.path
        name = fields.has("name") ? try fields.name("name") : nil
        file = try fields.name("file")
        guard [".onnx", ".xml"].contains(where: file.hasSuffix), !file.contains("/") else {
            throw fields.error("file", expected: "an .onnx file or the .xml file of an OpenVINO IR, in the same folder")
        }
        guard let inputs = try fields.object("inputs") else {
            throw fields.error("inputs", expected: "an object with sample and level")
        }
        try inputs.refuseOthers(than: ["sample", "level"])
        sample = try inputs.name("sample")
        level = try inputs.name("level")
        output = fields.has("output") ? try fields.name("output") : nil
        conditions = try Self.conditions(fields)
        for name in [level] + conditions.map(\.name) where name == sample || name == level && conditions.has(name) {
            throw ModelError(path, "inputs: found \"\(name.prefix(80))\" twice, expected each input once")
        }
        let prediction = try fields.choice("prediction", of: Parameterization.allCases.map(\.rawValue))
        self.prediction = Parameterization(rawValue: prediction) ?? .clean
        noise = try DenoiserNoise(fields, for: self.prediction)
        channels = try fields.integer("channels", in: 1...3)
        guard channels != 2 else { throw fields.error("channels", expected: "3, or 1 for a grey picture") }
        tile = try fields.integer("tile", in: 16...Self.maximumTile)
        alignment = try fields.integer("alignment", in: 1...tile, absent: Self.alignment(of: tile))
        guard tile % alignment == 0 else { throw fields.error("alignment", expected: "a divisor of tile, \(tile)") }
        overlap = try fields.integer("overlap", in: 0...tile / 2, absent: tile / 4)
        range = try Self.range(fields)
        let samplers = SamplerKind.allCases.map(\.rawValue)
        let sampler = try fields.choice("sampler", of: samplers, absent: SamplerKind.euler.rawValue)
        self.sampler = SamplerKind(rawValue: sampler) ?? .euler
        let usual = self.sampler == .consistency ? 2 : self.sampler == .lcm ? 4 : 25
        steps = try fields.integer("steps", in: 1...1000, absent: usual)
        guidance = try fields.number("guidance", in: 0...30, absent: 1)
        start = try fields.number("start", in: 0.01...1, absent: 0.6)
        guard guidance == 1 || canGuide else {
            throw fields.error("guidance", expected: "1, because no condition says what it is when unconditional")
        }
    }

    private static func conditions(_ fields: ConfigurationFields) throws(ModelError) -> [DenoiserCondition] {
        guard let all = try fields.object("conditions") else { return [] }
        guard all.names.count <= maximumConditions else {
            throw ModelError(
                fields.path, "conditions: found \(all.names.count), expected at most \(maximumConditions)")
        }
        var conditions: [DenoiserCondition] = []
        for name in all.names {
            guard ConfigurationFields.isName(name) else {
                throw ModelError(fields.path, "conditions: found \"\(name.prefix(80))\", expected names of inputs")
            }
            guard let condition = try all.object(name) else { throw all.error(name, expected: "an object") }
            conditions.append(try DenoiserCondition(name, condition))
        }
        return conditions
    }

    /// The largest of 16, 8, 4, 2 and 1 that tiles are multiples of: networks halve their input a few times.
    private static func alignment(of tile: Int) -> Int { min(16, tile & -tile) }

    private static func range(_ fields: ConfigurationFields) throws(ModelError) -> ClosedRange<Double> {
        guard let value = fields["range"] else { return -1...1 }
        var bounds: [Double] = []
        if case .list(let list) = value, list.count == 2 {
            for case let value in list {
                switch value {
                case .integer(let integer): bounds.append(Double(integer))
                case .number(let number): bounds.append(number)
                default: break
                }
            }
        }
        let largest = DenoiserCondition.largest
        guard bounds.count == 2, bounds.allSatisfy({ abs($0) <= largest }), bounds[1] - bounds[0] >= 1e-6 else {
            throw fields.error("range", expected: "the values of black and white, such as [-1, 1], the larger one last")
        }
        return bounds[0]...bounds[1]
    }
}

extension DenoiserNoise {
    /// Reads the object `noise`.
    fileprivate init(_ fields: ConfigurationFields, for prediction: Parameterization) throws(ModelError) {
        guard let noise = try fields.object("noise") else { throw fields.error("noise", expected: "an object") }
        switch try noise.choice("convention", of: ["sigma", "timestep", "flow"]) {
        case "sigma":
            try noise.refuseOthers(than: ["convention", "minimum", "maximum", "rho"])
            let minimum = try noise.number("minimum", in: 1e-6...1e5)
            let maximum = try noise.number("maximum", in: 1e-6...1e6)
            guard maximum > minimum else { throw noise.error("maximum", expected: "more than minimum, \(minimum)") }
            self = .sigma(minimum: minimum, maximum: maximum, rho: try noise.number("rho", in: 1...100, absent: 7))
        case "flow":
            try noise.refuseOthers(than: ["convention", "timeScale", "shift"])
            guard prediction != .epsilon else {
                throw fields.error(
                    "prediction", expected: "another with noise.convention flow, which begins at noise without signal")
            }
            self = .flow(
                timeScale: try noise.number("timeScale", in: 1e-3...1e6, absent: 1),
                shift: try noise.number("shift", in: 1e-2...100, absent: 1))
        default:
            self = try Self.timestep(noise, for: prediction)
        }
    }

    private static func timestep(
        _ noise: ConfigurationFields, for prediction: Parameterization
    ) throws(ModelError) -> DenoiserNoise {
        try noise.refuseOthers(than: [
            "convention", "steps", "betaSchedule", "betaStart", "betaEnd", "zeroTerminalSignal", "spacing",
        ])
        let steps = try noise.integer("steps", in: 2...100_000, absent: 1000)
        let growth = try noise.choice(
            "betaSchedule", of: TrainingNoise.Growth.allCases.map(\.rawValue), absent: "linear")
        let betaStart = try noise.number("betaStart", in: 1e-9...0.999, absent: 0.0001)
        let betaEnd = try noise.number("betaEnd", in: betaStart...0.999, absent: max(betaStart, 0.02))
        let isZero = try noise.flag("zeroTerminalSignal", absent: false)
        let spacing = try noise.choice(
            "spacing", of: TimestepSpacing.allCases.map(\.rawValue), absent: TimestepSpacing.trailing.rawValue)
        let training: TrainingNoise
        do {
            training = try TrainingNoise(
                growth: TrainingNoise.Growth(rawValue: growth) ?? .linear, betaStart: betaStart, betaEnd: betaEnd,
                steps: steps, rescalesToZeroSignal: isZero)
        } catch {
            throw ModelError(noise.path, "noise: \(error.message)")
        }
        // A signal may also be too small for a number.
        guard prediction != .epsilon || training.cumulativeAlphas.allSatisfy({ $0 > 1e-12 }) else {
            throw ModelError(
                noise.path,
                "noise: found training steps without signal, where predicted noise determines no picture; "
                    + "expected smaller betas, or another prediction")
        }
        return .timestep(training, spacing: TimestepSpacing(rawValue: spacing) ?? .trailing)
    }
}

extension ConfigurationFields {
    /// Whether a text can be the name of an input, an output or a file.
    fileprivate static func isName(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// A text that can be a name.
    fileprivate func name(_ field: String) throws(ModelError) -> String {
        guard case .string(let name)? = self[field], Self.isName(name) else {
            throw error(field, expected: "a name of 1 to 256 bytes")
        }
        return name
    }
}

extension [DenoiserCondition] {
    fileprivate func has(_ name: String) -> Bool { contains { $0.name == name } }
}
