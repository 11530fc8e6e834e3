/// The `parameters` text of the Stable Diffusion ecosystem: how a picture was made, for people and tools.
///
/// ```
/// red emission nebula
/// Negative prompt: text, frame
/// Steps: 8, Sampler: Euler, CFG scale: 1.5, Seed: 1, Size: 4096x4096, Model: cosmos, Version: Choir 0.1.0
/// ```
///
/// The convention (of the AUTOMATIC1111 web UI) cannot tell a prompt line that begins with `Negative prompt:` from the
/// negative prompt itself, and takes a last line of three or more `name: value` pairs for the settings. Everything else
/// survives being formatted and parsed again. The exact request is in ``ImageMetadata/choir``.
public struct GenerationParameters: Hashable, Sendable {
    /// One `name: value` pair of the last line.
    public struct Setting: Hashable, Sendable {
        /// Two or more letters, digits, spaces, `_`, `-`, `/` or `.`, not beginning or ending with a space.
        public let name: String
        /// Any text.
        public var value: String

        /// A pair; nil when the name has other characters than allowed.
        public init?(name: String, value: String) {
            guard Self.isName(name) else { return nil }
            self.name = name
            self.value = value
        }

        static func isName(_ name: String) -> Bool {
            let scalars = name.unicodeScalars
            guard scalars.count >= 2, scalars.first != " ", scalars.last != " " else { return false }
            return scalars.allSatisfy {
                $0.properties.isAlphabetic || $0.isDigit || " _-/.".unicodeScalars.contains($0)
            }
        }
    }

    /// What the picture shows; may have several lines.
    public var prompt: String
    /// What it should not show; empty for none.
    public var negativePrompt: String
    /// The pairs of the last line, in order.
    public var settings: [Setting]

    /// Parameters of the given texts.
    public init(prompt: String, negativePrompt: String = "", settings: [Setting] = []) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.settings = settings
    }

    /// Parameters of a painting by Choir.
    ///
    /// - Parameters:
    ///   - width: In pixels, as are `height`, `tileSize` and `overlap`.
    ///   - spacing: Which noise levels the steps visited; nil for the model's own way.
    ///   - clipSkip: The layer of the text encoders, counted from the last, which is 1; nil for the model's own.
    ///   - refiner: What took over from the model, and after which share of the way; nil for nothing.
    ///   - autoencoder: What decoded in the place of the model's own autoencoder; nil for that.
    ///   - version: Such as `Choir 0.1.0`.
    public init(
        prompt: String,
        negativePrompt: String = "",
        steps: Int,
        sampler: String,
        guidanceScale: Double,
        seed: UInt64,
        width: Int,
        height: Int,
        model: String,
        tileSize: Int,
        overlap: Int,
        bridges: [String],
        spacing: String? = nil,
        clipSkip: Int? = nil,
        refiner: (name: String, switchAt: Double)? = nil,
        autoencoder: String? = nil,
        version: String
    ) {
        let scale = guidanceScale.rounded() == guidanceScale && abs(guidanceScale) < 1e9
        var pairs = [("Steps", String(steps)), ("Sampler", sampler)]
        if let spacing { pairs.append(("Schedule type", spacing)) }
        pairs += [
            ("CFG scale", scale ? String(Int(guidanceScale)) : String(guidanceScale)), ("Seed", String(seed)),
            ("Size", "\(width)x\(height)"), ("Model", model), ("Tile size", String(tileSize)),
            ("Overlap", String(overlap)), ("Bridges", bridges.joined(separator: "+")),
        ]
        if let autoencoder { pairs.append(("VAE", autoencoder)) }
        if let clipSkip { pairs.append(("Clip skip", String(clipSkip))) }
        if let refiner {
            pairs += [("Refiner", refiner.name), ("Refiner switch at", String(refiner.switchAt))]
        }
        pairs.append(("Version", version))
        self.init(
            prompt: prompt,
            negativePrompt: negativePrompt,
            settings: pairs.compactMap { Setting(name: $0.0, value: $0.1) }
        )
    }

    /// The value of the first setting with this name.
    public subscript(name: String) -> String? {
        settings.first { $0.name == name }?.value
    }

    /// `Steps`, when it is a number.
    public var steps: Int? { self["Steps"].flatMap { Int($0) } }
    /// `Seed`, when it is a number.
    public var seed: UInt64? { self["Seed"].flatMap { UInt64($0) } }
    /// `CFG scale`, when it is a number.
    public var guidanceScale: Double? { self["CFG scale"].flatMap { Double($0) } }
    /// `Size` in pixels, when it is two numbers.
    public var size: (width: Int, height: Int)? {
        let sides = (self["Size"] ?? "").split(separator: "x").map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
        return (width, height)
    }

    /// The text, with values quoted as JSON strings where they contain a comma, a colon, a quote or a line break.
    public var text: String {
        var lines = [prompt]
        if !negativePrompt.isEmpty { lines.append("Negative prompt: \(negativePrompt)") }
        if !settings.isEmpty {
            lines.append(settings.map { "\($0.name): \(Self.quote($0.value))" }.joined(separator: ", "))
        }
        return lines.joined(separator: "\n")
    }

    private static func quote(_ value: String) -> String {
        let scalars = value.unicodeScalars
        let isPlain = scalars.allSatisfy { !",:\"\\".unicodeScalars.contains($0) && $0.value >= 32 }
        guard !isPlain || scalars.first == " " || scalars.last == " " else { return value }
        var quoted = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in scalars {
            switch scalar {
            case "\"", "\\": quoted += ["\\", scalar]
            case "\n": quoted += "\\n".unicodeScalars
            case "\r": quoted += "\\r".unicodeScalars
            case "\t": quoted += "\\t".unicodeScalars
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars
            default: quoted.append(scalar)
            }
        }
        return String(quoted) + "\""
    }
}

extension Unicode.Scalar {
    fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}
