import ChoirModels
import Foundation
import Testing

@Suite struct GraphFileTests {
    /// Version 8 in field 1, a name in field 2, a graph of two bytes in field 7.
    static let model: [UInt8] = [0x08, 0x08, 0x12, 0x01, 0x61, 0x3A, 0x02, 0x08, 0x01]

    private static func isTaken(_ bytes: [UInt8], _ ending: String) throws -> Bool {
        let path = NSTemporaryDirectory() + "choir-graph-\(UUID().uuidString).\(ending)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        do throws(ModelError) {
            try GraphFile.check(path)
            return true
        } catch {
            #expect(error.path == path && error.message.contains("cannot be read as"))
            return false
        }
    }

    @Test func `a model is taken whole and refused when it is cut anywhere`() throws {
        #expect(try Self.isTaken(Self.model, "onnx"))
        for length in Self.model.indices { #expect(try !Self.isTaken(Array(Self.model[..<length]), "onnx")) }
    }

    @Test(
        arguments: [
            [0x08, 0x08], [0x3A, 0x00], [0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
            [0x08, 0x08, 0x3A, 0x00, 0x0D, 0x00],
            [0x08, 0x08, 0x3A, 0x00, 0x09], [0x08, 0x08, 0x3A, 0x00, 0x0B], [0x08, 0x08, 0x38, 0x01],
        ] as [[UInt8]])
    func `bytes that are no model are refused`(bytes: [UInt8]) throws {
        #expect(try !Self.isTaken(bytes, "onnx"))
    }

    @Test func `XML is taken if it begins as that of an IR`() throws {
        for text in ["<net name=\"a\" version=\"11\"></net>", "<?xml version=\"1.0\"?>\n<net>", "\u{FEFF} <net>"] {
            #expect(try Self.isTaken(Array(text.utf8), "xml"))
        }
        let late = "<!--" + String(repeating: " ", count: 2000) + "--><net>"
        for text in ["", "<", "net", "a text about <net>", "<html></html>", late] {
            #expect(try !Self.isTaken(Array(text.utf8), "xml"))
        }
    }

    @Test func `a missing file and a folder are refused by name`() {
        for path in ["/nowhere/model.onnx", NSTemporaryDirectory()] {
            let error = #expect(throws: ModelError.self) { try GraphFile.check(path) }
            #expect(error?.path == path)
        }
    }
}
