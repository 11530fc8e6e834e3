import ChoirModels
import ChoirTensor
import Foundation
import Testing

@Suite("Prompts")
struct TextPromptTests {
    typealias Part = WeightedPrompt.Part

    @Test(
        "Brackets weigh text as A1111 has it",
        arguments: [
            ("", [("", 1.0)]), ("normal text", [("normal text", 1)]),
            ("an (important) word", [("an ", 1), ("important", 1.1), (" word", 1)]),
            ("(unbalanced", [("unbalanced", 1.1)]), ("[also", [("also", 1 / 1.1)]),
            (#"\(literal\]"#, [("(literal]", 1)]), (#"a\\b \c"#, [(#"a\b c"#, 1)]), ("trailing\\", [("trailing", 1)]),
            ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]), ("(x:1.3)", [("x", 1.3)]),
            ("(x: 0.5 )y", [("x", 0.5), ("y", 1)]), ("(x:-1)", [("x", -1)]), ("x:1.3)", [("x:1.3)", 1)]),
            ("a ) b ] c", [("a ) b ] c", 1)]), ("(a: b)", [("a: b", 1.1)]), ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
            ("(a:1e3)", [("a:1e3", 1.1)]), ("((a:2):3)", [("a", 6)]), ("()", [("", 1)]),
            ("(a [b] c)", [("a ", 1.1), ("b", 1), (" c", 1.1)]), ("(a:1000)", [("a:1000", 1.1)]),
            (
                "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
                [
                    ("a ", 1), ("house", 1.573), (" ", 1.1), ("on", 1), (" a ", 1.1), ("hill", 0.55), (", sun, ", 1.1),
                    ("sky", 1.4641), (".", 1.1),
                ]
            ),
        ] as [(String, [(String, Double)])]
    )
    func weights(prompt: String, expected: [(String, Double)]) {
        let parts = WeightedPrompt(prompt).parts
        #expect(parts.count == expected.count, "\(parts)")
        for (part, (text, weight)) in zip(parts, expected) {
            guard case .text(let found, let foundWeight) = part else {
                Issue.record("found \(part)")
                continue
            }
            #expect(found == text)
            #expect(abs(foundWeight - weight) < 1e-9)
        }
    }

    @Test("BREAK stands alone, in brackets too")
    func breaks() {
        #expect(
            WeightedPrompt("a BREAK b").parts == [.text("a", weight: 1), .lineBreak, .text("b", weight: 1)])
        #expect(WeightedPrompt("(a BREAK b:2)").parts == [.text("a", weight: 2), .lineBreak, .text("b", weight: 2)])
        #expect(WeightedPrompt("BREAK BREAK").parts == [.lineBreak, .lineBreak])
        #expect(WeightedPrompt("BREAKFAST aBREAK").parts == [.text("BREAKFAST aBREAK", weight: 1)])
        #expect(WeightedPrompt(plain: "(a BREAK [b").parts == [.text("(a BREAK [b", weight: 1)])
    }

    @Test("Any text is a prompt, with bounded weights")
    func anyText() {
        var generator = SystemRandomNumberGenerator()
        let pieces = ["(", ")", "[", "]", ":", "1.5", "-", "\\", "a", " ", "BREAK", "é", "\n", ":9)", "猫"]
        for _ in 0..<2000 {
            let prompt = (0..<30).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            for part in WeightedPrompt(prompt).parts {
                if case .text(_, let weight) = part { #expect(abs(weight) <= WeightedPrompt.weightLimit) }
            }
        }
        let deep = WeightedPrompt(String(repeating: "(", count: 3000) + "a")
        #expect(deep.parts == [.text("a", weight: WeightedPrompt.weightLimit)])
    }

    private func texts(_ chunks: [PromptChunk], _ tokenizer: CLIPTokenizer) -> [[Int]] {
        chunks.map { chunk in
            Array(chunk.tokens.dropFirst().prefix { $0 != tokenizer.endToken })
        }
    }

    @Test("A long prompt goes on in the next chunk, and its text is complete")
    func chunks() throws {
        let tokenizer = try TextFixture.tokenizer("vit-l")
        let prompt = String(repeating: "a photo of the night ", count: 40)
        let chunks = PromptChunk.chunks(of: WeightedPrompt(plain: prompt), tokenizer: tokenizer)
        let all = tokenizer.tokens(of: prompt)
        #expect(chunks.count == (all.count + 74) / 75)
        #expect(texts(chunks, tokenizer).flatMap(\.self) == all)
        for chunk in chunks {
            #expect(chunk.tokens.count == 77 && chunk.weights.count == 77)
            #expect(chunk.tokens[0] == tokenizer.startToken && chunk.weights == [Float](repeating: 1, count: 77))
        }
    }

    @Test("What follows the last comma moves to the next chunk if it is short")
    func commas() throws {
        let tokenizer = try TextFixture.tokenizer("vit-l")
        func lengths(_ before: Int, _ after: Int) -> [Int] {
            let prompt = String(repeating: "a ", count: before) + ", " + String(repeating: "a ", count: after)
            return texts(PromptChunk.chunks(of: WeightedPrompt(plain: prompt), tokenizer: tokenizer), tokenizer)
                .map(\.count)
        }
        #expect(lengths(70, 10) == [71, 10])
        #expect(lengths(55, 30) == [56, 30])
        // More than A1111 looks back.
        #expect(lengths(54, 30) == [75, 10])
        #expect(lengths(74, 5) == [75, 5])
        #expect(lengths(75, 0) == [75, 1])
    }

    @Test("Weights lie on their tokens, and BREAK starts a chunk")
    func chunkWeights() throws {
        let tokenizer = try TextFixture.tokenizer("bigg")
        let chunks = PromptChunk.chunks(of: WeightedPrompt("the (night:1.5) BREAK [the]"), tokenizer: tokenizer)
        #expect(chunks.count == 2)
        let (the, night) = (tokenizer.tokens(of: "the"), tokenizer.tokens(of: "night"))
        #expect(Array(chunks[0].tokens.prefix(4)) == [tokenizer.startToken] + the + night + [tokenizer.endToken])
        #expect(chunks[0].tokens[4] == 0)
        #expect(Array(chunks[0].weights.prefix(5)) == [1, 1, 1.5, 1, 1])
        #expect(Array(chunks[1].weights.prefix(3)) == [1, Float(1 / 1.1), 1])
        #expect(PromptChunk.chunks(of: WeightedPrompt(""), tokenizer: tokenizer).count == 1)
    }

    /// An encoder without layers: the state of a token is its id and position.
    private func run(_ encoder: PromptEncoder) -> (Int, PromptChunk, Int) -> PromptEncoder.Output {
        { index, chunk, end in
            let width = encoder.encoders[index].configuration.width
            var elements: [Float] = []
            for (position, token) in chunk.tokens.enumerated() {
                for column in 0..<width {
                    elements.append(Float(token) / 100 + Float(position * column) / 50 + Float(index))
                }
            }
            let pooled = Tensor(
                shape: [1, encoder.encoders[index].configuration.projectionWidth], repeating: Float(end))
            return (Tensor(shape: [1, chunk.tokens.count, width], elements: elements), pooled)
        }
    }

    private func encoder(_ names: [String], _ family: PromptEncoder.Family, skip: Int = 0) throws -> PromptEncoder {
        try PromptEncoder(
            names.map { (try TextFixture.tokenizer($0), try TextFixture.configuration($0)) }, family: family,
            skippedLayers: skip)
    }

    @Test("Prompts of one call have the same length, filled up without text")
    func equalLengths() async throws {
        let encoder = try encoder(["vit-l", "bigg"], .xl)
        let run = run(encoder)
        let long = WeightedPrompt(plain: String(repeating: "a ", count: 200))
        let embeddings = try await encoder.embed([long, WeightedPrompt("cat")]) { run($0, $1, $2) }
        #expect(embeddings.map(\.hidden.shape) == [[1, 231, 36], [1, 231, 36]])
        let alone = try await encoder.embed([WeightedPrompt("cat"), WeightedPrompt("")]) { run($0, $1, $2) }
        let rows = 77 * 36
        #expect(Array(embeddings[1].hidden.elements.prefix(rows)) == alone[0].hidden.elements)
        #expect(Array(embeddings[1].hidden.elements.suffix(rows)) == alone[1].hidden.elements)
        #expect(embeddings[0].pooled?.shape == [1, 20])
        let end = encoder.encoders[1].tokenizer.tokens(of: "cat").count + 1
        #expect(embeddings[1].pooled?.elements[0] == Float(end))
        #expect(embeddings[1].zeroed.hidden == Tensor(shape: [1, 231, 36]))
        #expect(embeddings[1].zeroed.pooled == Tensor(shape: [1, 20]))
    }

    @Test("Weights multiply the output and leave its mean as it was")
    func emphasis() async throws {
        let encoder = try encoder(["vit-l"], .stableDiffusion)
        let run = run(encoder)
        let texts = [WeightedPrompt("the night"), WeightedPrompt("the (night:1.5)"), WeightedPrompt("the (night:1)")]
        let found = try await encoder.embed(texts) { run($0, $1, $2) }
        #expect(found[2] == found[0])
        func mean(_ tensor: Tensor) -> Double { tensor.elements.reduce(0) { $0 + Double($1) } / 1232 }
        #expect(abs(mean(found[1].hidden) / mean(found[0].hidden) - 1) < 1e-6)
        let ratios = zip(found[1].hidden.elements, found[0].hidden.elements).map { $0 / $1 }
        #expect(abs(ratios[2 * 16] / ratios[16] - 1.5) < 1e-5)
        #expect(abs(ratios[76 * 16 + 3] / ratios[16] - 1) < 1e-5)
        #expect(ratios[16] < 1)
    }

    @Test("A tokenizer of another encoder is refused")
    func mismatches() throws {
        let tokenizer = try TextFixture.tokenizer("vit-l")
        func refusal(_ fields: [String: JSONValue]) throws -> String {
            let configuration = try TextFixture.configuration("bigg", replacing: fields)
            let error = #expect(throws: ModelError.self) {
                try PromptEncoder([(tokenizer, configuration)], family: .xl)
            }
            return error?.description ?? ""
        }
        let few = try refusal(["vocab_size": .integer(600)])
        #expect(few.contains("it has ids up to 663, expected a vocabulary of 600"), "\(few)")
        let short = try refusal(["max_position_embeddings": .integer(64)])
        #expect(short.contains("its sequences have 77 ids, expected at most 64 positions"), "\(short)")
        let end = try refusal(["eos_token_id": .integer(600)])
        #expect(end.contains("its texts end with the id 663, expected 600"), "\(end)")
        for skip in [-1, 3] {
            #expect(throws: ModelError.self) { try encoder(["bigg"], .xl, skip: skip) }
        }
    }

    @Test("A prompt without end is refused")
    func longPrompt() async throws {
        let encoder = try encoder(["vit-l"], .stableDiffusion)
        let run = run(encoder)
        await #expect(throws: ModelError.self) {
            _ = try await encoder.embed([WeightedPrompt(String(repeating: "a", count: 100_001))]) { run($0, $1, $2) }
        }
    }

    @Test("SDXL is told sizes and crops in diffusers' order")
    func sizes() {
        let whole = SizeConditioning(height: 1024, width: 768)
        #expect(whole.timeIDs(usesAestheticScore: false) == [1024, 768, 0, 0, 1024, 768])
        #expect(whole.timeIDs(usesAestheticScore: true) == [1024, 768, 0, 0, 6])
        let tile = SizeConditioning(
            tileHeight: 512, width: 640, top: 100, left: 200, canvasHeight: 4096, canvasWidth: 8192)
        #expect(tile.timeIDs(usesAestheticScore: false) == [4096, 8192, 100, 200, 512, 640])
    }
}
