import Foundation
import Testing

/// Runs `choir` in a scratch directory.
func choir(_ arguments: String..., in scratch: Scratch) async throws -> Program.Outcome {
    try await Program.choir.run(arguments, in: scratch.path)
}

/// Paints a small picture and returns the hash of its pixels.
func paintedHash(_ arguments: [String], in scratch: Scratch) async throws -> String {
    let report = "report-\(UUID().uuidString).json"
    let outcome = try await Program.choir.run(
        ["generate"] + arguments + ["--quiet", "--report", report], in: scratch.path)
    try #require(outcome.code == 0, "\(outcome.error)")
    let hash = try #require(try scratch.json(report)["pixelsSHA256"] as? String)
    #expect(hash.count == 64)
    return hash
}

/// Expects one clear sentence on standard error, the exit code, and a directory that is as it was.
func expectRefusal(
    _ arguments: [String], in scratch: Scratch, code: Int32, saying parts: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let before = try contents(of: scratch)
    let outcome = try await Program.choir.run(arguments, in: scratch.path)
    #expect(outcome.code == code, "\(outcome.error)", sourceLocation: sourceLocation)
    #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
    let first = outcome.errorLines.first ?? ""
    if first.hasPrefix("Error: ") {
        // The parser of arguments adds how the option is used.
        #expect(code == 64, sourceLocation: sourceLocation)
    } else {
        #expect(first.hasPrefix("choir: "), "\(outcome.error)", sourceLocation: sourceLocation)
        #expect(outcome.errorLines.count == 1, "\(outcome.error)", sourceLocation: sourceLocation)
    }
    for part in parts { #expect(first.contains(part), "\(first)", sourceLocation: sourceLocation) }
    #expect(try contents(of: scratch) == before, sourceLocation: sourceLocation)
}

/// Every file below a directory with its size and when it was last changed.
private func contents(of scratch: Scratch) throws -> [String: String] {
    var found: [String: String] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: scratch.path) {
        let facts = try FileManager.default.attributesOfItem(atPath: scratch.file(name))
        let isDirectory = facts[.type] as? FileAttributeType == .typeDirectory
        found[name] = isDirectory ? "directory" : "\(facts[.size] ?? "") \(facts[.modificationDate] ?? "")"
    }
    return found
}
