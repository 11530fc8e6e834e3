import ChoirImage
import Testing

struct GenerationParametersTests {
    private static func painting(prompt: String = "red nebula", negative: String = "") -> GenerationParameters {
        GenerationParameters(
            prompt: prompt,
            negativePrompt: negative,
            steps: 8,
            sampler: "Euler",
            guidanceScale: 1.5,
            seed: 1,
            width: 4096,
            height: 2048,
            model: "cosmos",
            tileSize: 512,
            overlap: 128,
            bridges: ["consensus", "attention"],
            version: "Choir 0.1.0"
        )
    }

    @Test func `The text is what the ecosystem reads`() {
        #expect(
            Self.painting(negative: "text").text == """
                red nebula
                Negative prompt: text
                Steps: 8, Sampler: Euler, CFG scale: 1.5, Seed: 1, Size: 4096x2048, Model: cosmos, Tile size: 512, \
                Overlap: 128, Bridges: consensus+attention, Version: Choir 0.1.0
                """
        )
    }

    @Test func `Typed values come back`() {
        let parsed = GenerationParameters(parsing: Self.painting().text)
        #expect(parsed == Self.painting())
        #expect(parsed.steps == 8)
        #expect(parsed.seed == 1)
        #expect(parsed.guidanceScale == 1.5)
        #expect(parsed.size?.width == 4096)
        #expect(parsed.size?.height == 2048)
        #expect(parsed["Bridges"] == "consensus+attention")
        #expect(parsed["nothing"] == nil)
    }

    @Test(arguments: [
        ("", ""), ("two\nlines", "of\nboth, kinds"), ("colon: comma, \"quotes\" \\ back", "a: b, c: d, e: f"),
        ("carriage\r\nreturn", "\t tab"), ("café 日本 👩‍🚀", "é"), ("\n\n", "x"), ("Steps: 3, a: b", ""),
        ("trailing \n", " leading"),
    ])
    func `Prompts survive`(prompt: String, negative: String) {
        let painting = Self.painting(prompt: prompt, negative: negative)
        let parsed = GenerationParameters(parsing: painting.text)
        #expect(Array(parsed.prompt.unicodeScalars) == Array(prompt.unicodeScalars))
        #expect(Array(parsed.negativePrompt.unicodeScalars) == Array(negative.unicodeScalars))
        #expect(parsed == painting)
    }

    @Test(arguments: [
        "plain", "a, b", "a: b", "\"", "\\", "line\nbreak", " space ", "", "\u{1}", "quote \"in\", side", "日本",
        "\r\n\t",
    ])
    func `Values survive`(value: String) throws {
        var painting = Self.painting()
        painting.settings.append(try #require(.init(name: "Extra/value", value: value)))
        painting.settings.append(try #require(.init(name: "Last", value: "1")))
        let text = painting.text
        #expect(!text.split(separator: "\n", maxSplits: 1)[1].unicodeScalars.contains("\n"))
        #expect(GenerationParameters(parsing: text) == painting)
    }

    @Test func `A text of the web UI is understood`() {
        let parsed = GenerationParameters(
            parsing: """
                masterpiece, (best quality:1.2)
                <lora:stars:0.8>
                Negative prompt: EasyNegative, bad hands
                second line
                Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, \
                Model hash: cbfba64e66, Model: mix_v2, Lora hashes: "stars: 1234, b: 5", Hashes: {"vae": "x", "m": "y"}, \
                Version: v1.7.0
                """
        )
        #expect(parsed.prompt == "masterpiece, (best quality:1.2)\n<lora:stars:0.8>")
        #expect(parsed.negativePrompt == "EasyNegative, bad hands\nsecond line")
        #expect(parsed["Sampler"] == "DPM++ 2M Karras")
        #expect(parsed["Lora hashes"] == "stars: 1234, b: 5")
        #expect(parsed["Hashes"] == "{\"vae\": \"x\", \"m\": \"y\"}")
        #expect(parsed["Version"] == "v1.7.0")
        #expect(parsed.guidanceScale == 7)
    }

    @Test(arguments: ["just a prompt", "", "a: b", "x\ny: z, w", "Negative", "\n", ":", ",", "a:,b:"])
    func `What is not settings is prompt`(text: String) {
        let parsed = GenerationParameters(parsing: text)
        #expect(parsed.prompt == text)
        #expect(parsed.settings.isEmpty)
    }

    @Test(arguments: ["a", "with:colon", "with,comma", "", " x1", "x1 ", "a\nb", "q\"q"])
    func `Names that would not be read back are refused`(name: String) {
        #expect(GenerationParameters.Setting(name: name, value: "x") == nil)
    }

    @Test func `Random texts never trap, and what was parsed is parsed the same again`() {
        var generator = TestGenerator(state: 7)
        let pieces = [
            "Steps: ", "Negative prompt:", "\n", "\r\n", ", ", ":", "\"", "\\", "\\u12", "\\ud800", "a", "Size: 1x",
            "é",
            "\u{301}", " ", "{", "👩‍🚀", "Seed", "\\n", "\u{0}", "Steps: 1, ab: 2, cd: \"",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<14, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator)! }.joined()
            let once = GenerationParameters(parsing: text)
            guard once["Steps"] != nil, once.settings.first?.name == "Steps" else { continue }
            let twice = GenerationParameters(parsing: once.text)
            #expect(twice == once, "\(text.debugDescription)")
        }
    }
}
