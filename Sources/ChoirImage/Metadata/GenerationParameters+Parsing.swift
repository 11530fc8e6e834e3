extension GenerationParameters {
    private static let negativeMark = "Negative prompt:"

    /// Parses a `parameters` text. Any text is accepted: what is not understood belongs to the prompt.
    public init(parsing text: String) {
        // By scalars, since "\r\n" is one Character that would hide a line break.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String($0) }
        var settings: [Setting] = []
        if let last = lines.last {
            var parser = SettingsParser(last)
            settings = parser.parse()
            let isSettings = settings.count >= 3 || settings.first?.name == "Steps"
            if isSettings { lines.removeLast() } else { settings = [] }
        }
        let mark = lines.firstIndex { $0.hasPrefix(Self.negativeMark) } ?? lines.endIndex
        var negative = Array(lines[mark...])
        if !negative.isEmpty {
            let first = negative[0].unicodeScalars.dropFirst(Self.negativeMark.unicodeScalars.count)
            negative[0] = String(first.first == " " ? first.dropFirst() : first)
        }
        self.init(
            prompt: lines[..<mark].joined(separator: "\n"),
            negativePrompt: negative.joined(separator: "\n"),
            settings: settings
        )
    }
}

/// Reads `name: value, name: "quoted, value", …`.
private struct SettingsParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ line: String) { scalars = Array(line.unicodeScalars) }

    mutating func parse() -> [GenerationParameters.Setting] {
        var settings: [GenerationParameters.Setting] = []
        while position < scalars.count {
            let start = position
            skipSpaces()
            if let name = readName() {
                skipSpaces()
                let value = readQuoted() ?? readPlain()
                if let setting = GenerationParameters.Setting(name: name, value: value) { settings.append(setting) }
            } else {
                // A comma inside an unquoted value: what follows belongs to the value before it.
                position = start
                let rest = readPlain()
                guard let last = settings.indices.last else { return [] }
                settings[last].value += ", \(rest)"
            }
            position += 1
        }
        return settings
    }

    /// Reads up to and including a colon.
    private mutating func readName() -> String? {
        guard let colon = scalars[position...].firstIndex(where: { $0 == ":" || $0 == "," || $0 == "\"" }),
            scalars[colon] == ":"
        else { return nil }
        let name = String(String.UnicodeScalarView(scalars[position..<colon]))
        guard GenerationParameters.Setting.isName(name) else { return nil }
        position = colon + 1
        return name
    }

    /// Reads up to a comma or the end, without the spaces around.
    private mutating func readPlain() -> String {
        skipSpaces()
        let end = scalars[position...].firstIndex(of: ",") ?? scalars.count
        var value = scalars[position..<end]
        while value.last == " " { value.removeLast() }
        position = end
        return String(String.UnicodeScalarView(value))
    }

    /// Reads a JSON string that a comma or the end follows; otherwise reads nothing.
    private mutating func readQuoted() -> String? {
        guard position < scalars.count, scalars[position] == "\"" else { return nil }
        var value = String.UnicodeScalarView()
        var index = position + 1
        while index < scalars.count, scalars[index] != "\"" {
            if scalars[index] == "\\" {
                guard let (scalar, length) = escaped(at: index + 1) else { return nil }
                value.append(scalar)
                index += 1 + length
            } else {
                value.append(scalars[index])
                index += 1
            }
        }
        guard index < scalars.count else { return nil }
        index += 1
        while index < scalars.count, scalars[index] == " " { index += 1 }
        guard index == scalars.count || scalars[index] == "," else { return nil }
        position = index
        return String(value)
    }

    private func escaped(at index: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        guard index < scalars.count else { return nil }
        switch scalars[index] {
        case "n": return ("\n", 1)
        case "r": return ("\r", 1)
        case "t": return ("\t", 1)
        case "b": return ("\u{8}", 1)
        case "f": return ("\u{C}", 1)
        case "\"", "\\", "/": return (scalars[index], 1)
        case "u":
            guard index + 4 < scalars.count else { return nil }
            let digits = String(String.UnicodeScalarView(scalars[(index + 1)...(index + 4)]))
            guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else { return nil }
            return (scalar, 5)
        default: return nil
        }
    }

    private mutating func skipSpaces() {
        while position < scalars.count, scalars[position] == " " { position += 1 }
    }
}
