/// What a checkpoint is and can do, for people.
public struct CheckpointDescription: Hashable, Sendable, CustomStringConvertible {
    /// A network of the checkpoint.
    public struct Part: Hashable, Sendable {
        /// The name of its folder in diffusers.
        public var name: String
        /// The number of parameters.
        public var parameterCount: Int
        /// Element types on disk, such as `F16`.
        public var precisions: [String]
        /// Bytes of the parameters on disk.
        public var byteCount: Int
        /// How many files they are in.
        public var fileCount: Int
    }

    /// The folder or file.
    public var path: String
    /// The family.
    public var kind: CheckpointKind
    /// Whether it is one file in the original layout.
    public var isSingleFile: Bool
    /// The networks that are there.
    public var parts: [Part]
    /// Side of the pictures that it was trained on, in pixels.
    public var nativeSide: Int
    /// What the UNet predicts.
    public var prediction: CheckpointPrediction
    /// Why that is assumed, where the checkpoint does not say.
    public var predictionAssumption: String?
    /// What it can do.
    public var abilities: [String]
    /// What painting with it needs and it has not.
    public var missing: [String]

    /// The number of parameters of all networks.
    public var parameterCount: Int { parts.reduce(0) { $0 + $1.parameterCount } }

    /// Several lines of text.
    public var description: String {
        var lines = ["\(path): \(kind), \(isSingleFile ? "one file in the original layout" : "a folder of diffusers")"]
        lines.append("  parameters      \(Self.grouped(parameterCount))")
        for part in parts {
            let name = part.name + String(repeating: " ", count: max(16 - part.name.count, 1))
            let files = part.fileCount == 1 ? "" : ", \(part.fileCount) files"
            lines.append(
                "    \(name)\(Self.grouped(part.parameterCount)), \(part.precisions.joined(separator: " and ")), "
                    + "\(Self.grouped(part.byteCount)) bytes\(files)")
        }
        lines.append("  native size     \(nativeSide)x\(nativeSide)")
        lines.append(
            "  prediction      \(prediction.rawValue)\(predictionAssumption.map { " (\($0))" } ?? "")")
        for (index, ability) in abilities.enumerated() {
            lines.append("  \(index == 0 ? "can" : "   ")             \(ability)")
        }
        lines.append("  missing         \(missing.isEmpty ? "nothing" : missing.joined(separator: ", "))")
        return lines.joined(separator: "\n")
    }

    /// A number with a comma after each three digits.
    private static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}

extension Checkpoint {
    /// What it is and can do.
    public var description: CheckpointDescription {
        let parts = CheckpointPart.allCases.compactMap { part in
            modules[part].map { module in
                CheckpointDescription.Part(
                    name: part.rawValue, parameterCount: module.parameterCount, precisions: module.precisions,
                    byteCount: module.byteCount, fileCount: module.files.count)
            }
        }
        return CheckpointDescription(
            path: path, kind: kind, isSingleFile: isSingleFile, parts: parts, nativeSide: nativeSide,
            prediction: prediction, predictionAssumption: predictionAssumption, abilities: abilities, missing: missing)
    }

    private var abilities: [String] {
        var abilities: [String] = []
        if unet.inputChannels != unet.outputChannels {
            abilities.append(
                "nothing yet: the UNet takes \(unet.inputChannels) channels and gives \(unet.outputChannels), as "
                    + "networks for inpainting do")
        } else if kind == .sdxlRefiner {
            abilities.append("refine the latents of SDXL base, or pictures")
        } else {
            abilities.append("paint pictures from prompts and from pictures")
        }
        if unet.guidanceWidth != nil {
            abilities.append("few steps: the guidance scale is an input of the network (LCM)")
        }
        if case .string("AutoencoderTiny")? = modules[.autoencoder]?.configuration["_class_name"] {
            abilities.append("decode fast, with a tiny autoencoder")
        }
        abilities.append(
            "attention between tiles, at any of \(unet.selfAttentionLayers.count) self-attention layers")
        return abilities
    }

    /// What painting needs and is not there.
    public var missing: [String] {
        var missing = ([.autoencoder] + kind.textEncoders).filter { modules[$0] == nil }.map(\.rawValue)
        for part in kind.textEncoders where tokenizerDirectories[part] == nil {
            let folder = tokenizerFolder(part)
            if !missing.contains(folder) { missing.append(folder) }
        }
        if !isSingleFile, schedulerPath == nil { missing.append("scheduler") }
        return missing
    }
}
