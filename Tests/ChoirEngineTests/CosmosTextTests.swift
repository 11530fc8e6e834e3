import ChoirModels
import ChoirTensor
import Testing

@Suite struct CosmosTextTests {
    private func text() throws -> CosmosText {
        let folder = CosmosResources.directory
        return try CosmosText(
            words: folder + "/words.txt", vectors: SafetensorsFile(path: folder + "/words.safetensors"), width: 64)
    }

    @Test func `what says nothing is the vector that stands for no text`() throws {
        let text = try text()
        for prompt in ["", "   ", "!?", "of the and", "12 34", "xqzzkw"] {
            #expect(text.vector(of: prompt).elements == text.nothing.elements, "\(prompt)")
        }
    }

    @Test func `case, order, punctuation and plurals do not matter`() throws {
        let text = try text()
        let expected = text.vector(of: "red nebula, blue galaxy").elements
        for prompt in ["Red NEBULA blue galaxy", "blue galaxies; red nebulas.", "galaxy (blue) red nebula"] {
            let found = text.vector(of: prompt).elements
            let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 0.05, "\(prompt)")
        }
    }
}
