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

    @Test(arguments: [
        (
            "red emission nebula, golden globular clusters, spiral galaxies",
            ["red emission nebula", "golden globular clusters", "spiral galaxies"]
        ),
        ("a crimson cloud with a swarm of stars", ["a crimson cloud", "a swarm of stars"]),
        ("Gas AND pinwheels; deep sky", ["Gas, deep sky", "pinwheels, deep sky"]),
        // One thing, or none, is no composition, nor is one with its colours and its sky.
        ("red nebula", []), ("", []), (",, and ,with", []), ("red, nebula", []), ("a red and blue nebula", []),
        ("nebula with stars", []), ("stars, dark sky", []), ("castles, cats", []),
    ])
    func `elements are the parts that name objects, with what is said of all`(prompt: String, expected: [String]) throws
    {
        let configuration = try CosmosConfiguration(path: CosmosResources.directory + "/config.json")
        let (vocabulary, objects) = try (#require(configuration.vocabulary), #require(configuration.objects))
        #expect(try text().elements(of: prompt, vocabulary: vocabulary, objects: objects) == expected)
    }
}
