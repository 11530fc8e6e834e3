import Choir
import ChoirTensor
import Foundation

/// Which colour of a map stands for what.
///
/// A JSON object whose names are colours. A colour's value is a prompt, or `null` for the request's own, or an object
/// with `prompt` and any of `negative`, `guidance`, `seed` and `tolerance`:
///
/// ```json
/// {
///   "feather": 0.05,
///   "tolerance": 32,
///   "#000000": null,
///   "#cc2222": "red nebula",
///   "#2244cc": {"prompt": "blue nebula", "guidance": 4, "seed": 7, "negative": "stars", "tolerance": 8}
/// }
/// ```
///
/// `tolerance`, 0 ... 255, is how far each channel of a pixel may be from the colour that it stands for, and `feather`,
/// 0 ... 1, how broad the borders are, in parts of the picture's shorter side.
public struct MapLegend: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var color: MapColor
        var content: RegionContent?
        var tolerance: Int
    }

    /// By colour, in the order of their numbers.
    let entries: [Entry]

    /// How broad the borders are.
    public let feather: Double

    /// How far a channel may be off, where a legend does not say.
    public static let standardTolerance = 32

    /// The largest file that is read.
    private static let maximumBytes = 4 << 20

    /// Reads a legend.
    ///
    /// - Throws: `MapError` that names the file and what is wrong in it.
    public init(path: String) throws(MapError) {
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard attributes?[.type] as? FileAttributeType == .typeRegular, let file = FileHandle(forReadingAtPath: path)
        else { throw MapError(path, "there is no such file, expected a legend in JSON") }
        defer { try? file.close() }
        let read = try? file.read(upToCount: Self.maximumBytes + 1) ?? Data()
        guard let data = read, data.count <= Self.maximumBytes else {
            throw MapError(path, "cannot be read, expected at most \(Self.maximumBytes) bytes of JSON")
        }
        let legend: LegendFile
        do {
            legend = try JSONDecoder().decode(LegendFile.self, from: data)
        } catch {
            throw MapError(path, "this is no legend: \((error as? DecodingError)?.sentence ?? "\(error)")")
        }
        guard !legend.entries.isEmpty else { throw MapError(path, "found no colour, expected names such as #cc2222") }
        guard legend.entries.count <= PaintRequest.maximumRegions else {
            throw MapError(
                path, "found \(legend.entries.count) colours, expected at most \(PaintRequest.maximumRegions)")
        }
        entries = legend.entries.sorted { "\($0.color)" < "\($1.color)" }
        feather = legend.feather
    }

    /// The entry that a colour stands for: the nearest, or the first of several; nil if it is too far from that.
    func entry(for color: MapColor) -> Int? {
        let nearest = entries.indices.min {
            entries[$0].color.distance(to: color) < entries[$1].color.distance(to: color)
        }
        return nearest.flatMap { entries[$0].color.distance(to: color) <= entries[$0].tolerance ? $0 : nil }
    }
}

/// The JSON of a legend.
private struct LegendFile: Decodable {
    var entries: [MapLegend.Entry] = []
    var feather = PaintRegion.standardFeather

    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private enum Value: Decodable {
        case standard
        case prompt(String)
        case content(RegionContent, tolerance: Int?)

        init(from decoder: any Decoder) throws {
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                self = .standard
            } else if let prompt = try? single.decode(String.self) {
                self = .prompt(prompt)
            } else {
                let values = try decoder.container(keyedBy: Name.self)
                let known = ["prompt", "negative", "guidance", "seed", "tolerance"]
                for name in values.allKeys where !known.contains(name.stringValue) {
                    throw wrong(name, in: values, "expected one of \(known.joined(separator: ", "))")
                }
                self = .content(
                    RegionContent(
                        prompt: try values.decode(String.self, forKey: Name("prompt")),
                        negativePrompt: try values.decodeIfPresent(String.self, forKey: Name("negative")),
                        guidance: try values.decodeIfPresent(Double.self, forKey: Name("guidance")),
                        seed: try values.decodeIfPresent(UInt64.self, forKey: Name("seed"))),
                    tolerance: try LegendFile.tolerance(in: values))
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Name.self)
        let tolerance = try Self.tolerance(in: values) ?? MapLegend.standardTolerance
        if let found = try values.decodeIfPresent(Double.self, forKey: Name("feather")) {
            guard (0...1).contains(found) else {
                throw wrong(Name("feather"), in: values, "found \(found), expected a number from 0 to 1")
            }
            feather = found
        }
        var seen: Set<MapColor> = []
        for name in values.allKeys where !["feather", "tolerance"].contains(name.stringValue) {
            guard let color = MapColor(name.stringValue) else {
                throw wrong(name, in: values, "expected a colour such as #cc2222, feather or tolerance")
            }
            guard seen.insert(color).inserted else { throw wrong(name, in: values, "the colour is there twice") }
            let entry = { MapLegend.Entry(color: color, content: $0, tolerance: $1 ?? tolerance) }
            switch try values.decode(Value.self, forKey: name) {
            case .standard: entries.append(entry(nil, nil))
            case .prompt(let prompt): entries.append(entry(RegionContent(prompt: prompt), nil))
            case .content(let content, let tolerance): entries.append(entry(content, tolerance))
            }
        }
    }

    private static func tolerance(in values: KeyedDecodingContainer<Name>) throws -> Int? {
        guard let tolerance = try values.decodeIfPresent(Int.self, forKey: Name("tolerance")) else { return nil }
        guard (0...255).contains(tolerance) else {
            throw wrong(Name("tolerance"), in: values, "found \(tolerance), expected 0 to 255")
        }
        return tolerance
    }
}

/// That the value of a name is not what it should be.
private func wrong<Key: CodingKey>(
    _ name: Key, in values: KeyedDecodingContainer<Key>, _ reason: String
) -> DecodingError {
    .dataCorruptedError(forKey: name, in: values, debugDescription: reason)
}
