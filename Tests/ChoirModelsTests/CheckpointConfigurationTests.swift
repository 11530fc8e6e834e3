import ChoirModels
import Testing

@Suite struct CheckpointConfigurationTests {
    private func fields(_ json: String) throws(ModelError) -> ConfigurationFields {
        try ConfigurationFields(path: "config.json", json: Array(json.utf8))
    }

    @Test func `fields are read as JSON has them`() throws {
        let fields = try fields(
            #"{"a": 3, "b": 0.5, "c": true, "d": "x", "e": [1, 2], "f": null, "g": {"h": 1}, "i": 4.0}"#)
        #expect(try fields.integer("a", in: 1...3) == 3)
        #expect(try fields.number("a", in: 0...9) == 3)
        #expect(try fields.number("b", in: 0...1) == 0.5)
        #expect(try fields.flag("c"))
        #expect(try fields.choice("d", of: ["x", "y"]) == "x")
        #expect(try fields.integers("e", count: 2...2, in: 0...2) == [1, 2])
        #expect(try fields.integers("a", count: 2...2, in: 0...3, repeatsSingle: true) == [3, 3])
        #expect(!fields.has("f"))
        #expect(try fields.integer("f", in: 0...9, absent: 7) == 7)
        #expect(try fields.integer("i", in: 0...9) == 4)
    }

    @Test func `an error names the file, the field, what was found and what was expected`() throws {
        let fields = try fields(#"{"a": 30, "b": "x", "c": [1, "2"]}"#)
        func message(_ body: () throws(ModelError) -> some Any) -> String {
            do {
                _ = try body()
                return "no error"
            } catch { return error.description }
        }
        #expect(
            message { () throws(ModelError) in try fields.integer("a", in: 1...3) }
                == "config.json: a: found 30, expected an integer from 1 to 3")
        #expect(
            message { () throws(ModelError) in try fields.integer("z", in: 1...3) }
                == "config.json: z is missing, expected an integer from 1 to 3")
        #expect(
            message { () throws(ModelError) in try fields.choice("b", of: ["y"]) }
                == #"config.json: b: found "x", expected "y""#)
        #expect(
            message { () throws(ModelError) in try fields.integers("c", count: 2...2, in: 0...9) }
                == #"config.json: c: found [1, "2"], expected a list of 2 integers from 0 to 9"#)
    }
}
