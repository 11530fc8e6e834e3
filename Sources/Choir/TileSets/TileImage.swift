/// One picture of a set.
public struct TileImage: Hashable, Sendable {
    /// The name of its file, without the ending.
    public var name: String

    /// What it shows.
    public var prompt: String

    /// What guidance leads away from.
    public var negativePrompt: String

    /// The seed of its noise.
    public var seed: UInt64

    /// What its sides may be joined with; a side that is not here may end anyhow.
    public var sides: [TileSide: SideLabel]

    /// A picture.
    public init(
        name: String, prompt: String, negativePrompt: String = "", seed: UInt64, sides: [TileSide: SideLabel]
    ) {
        self.name = name
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.seed = seed
        self.sides = sides
    }

    /// The labels of pictures that join themselves and each other left to right, top to bottom, or both.
    public static func sides(joining axes: WrappedAxes) -> [TileSide: SideLabel] {
        var sides: [TileSide: SideLabel] = [:]
        if axes.contains(.x) {
            sides[.right] = SideLabel(id: 1, direction: .clockwise)
            sides[.left] = SideLabel(id: 1, direction: .counterclockwise)
        }
        if axes.contains(.y) {
            sides[.bottom] = SideLabel(id: 2, direction: .clockwise)
            sides[.top] = SideLabel(id: 2, direction: .counterclockwise)
        }
        return sides
    }
}

extension TileImage: Codable {
    private enum Key: String, CodingKey { case name, prompt, negativePrompt, seed, sides }

    /// Reads a picture; throws `DecodingError` for a side that there is not.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        name = try values.decode(String.self, forKey: .name)
        prompt = try values.decodeIfPresent(String.self, forKey: .prompt) ?? ""
        negativePrompt = try values.decodeIfPresent(String.self, forKey: .negativePrompt) ?? ""
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
        sides = [:]
        let labels = try values.decodeIfPresent([String: SideLabel].self, forKey: .sides) ?? [:]
        for (name, label) in labels {
            guard let side = TileSide(name: name) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .sides, in: values,
                    debugDescription: "found side \(name), expected right, bottom, left or top")
            }
            sides[side] = label
        }
    }

    /// Writes the form that `init(from:)` reads.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encode(prompt, forKey: .prompt)
        try values.encode(negativePrompt, forKey: .negativePrompt)
        try values.encode(seed, forKey: .seed)
        try values.encode(Dictionary(uniqueKeysWithValues: sides.map { ($0.key.name, $0.value) }), forKey: .sides)
    }
}
