import Foundation
import Glibc
import Testing

@Suite struct ResumeTests {
    /// Two tiles, about twenty steps.
    static func arguments(_ sampler: String) -> [String] {
        ["red nebula", "--size", "96x64", "--tile", "64", "--steps", "6", "--sampler", sampler]
    }

    /// An undisturbed painting: its hash, and when its first state and its end came, in seconds.
    struct Reference {
        var hash: String
        var firstState: Double
        var end: Double
    }

    static let references = [
        "euler": Task { try await reference("euler") }, "dpmpp2m": Task { try await reference("dpmpp2m") },
    ]

    static func reference(_ sampler: String) async throws -> Reference {
        let scratch = Scratch()
        // Once for the cache of compiled models, so that the times are those of the paintings that follow.
        let hash = try await paintedHash(arguments(sampler), in: scratch)
        let start = ContinuousClock.now
        let appeared = Moment()
        let outcome = try await Program.choir.run(["generate"] + arguments(sampler) + ["--quiet"], in: scratch.path) {
            _ in
            try await state(in: scratch)
            await appeared.set((ContinuousClock.now - start) / .seconds(1))
        }
        #expect(outcome.code == 0)
        return Reference(
            hash: hash, firstState: await appeared.seconds, end: (ContinuousClock.now - start) / .seconds(1))
    }

    actor Moment {
        private(set) var seconds = 0.0
        func set(_ seconds: Double) { self.seconds = seconds }
    }

    /// Waits until a painting has stored its first state.
    static func state(in scratch: Scratch, run: String = "choir.png.run") async throws {
        for _ in 0..<6000 where !scratch.exists(run + "/state.safetensors") {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// What the kills of all rounds hit.
    actor Hits {
        private var rounds = 0
        private var midway = 0
        func count(midway isMidway: Bool) -> (rounds: Int, midway: Int) {
            rounds += 1
            midway += isMidway ? 1 : 0
            return (rounds, midway)
        }
    }
    static let hits = Hits()

    @Test(arguments: 0..<20)
    func `a painting killed at a random moment ends in the same pixels`(round: Int) async throws {
        let sampler = round % 2 == 0 ? "euler" : "dpmpp2m"
        let reference = try #require(try await Self.references[sampler]?.value)
        let scratch = Scratch()
        let outcome = try await Program.choir.run(
            ["generate"] + Self.arguments(sampler) + ["--quiet", "--report", "r.json"], in: scratch.path
        ) { process in
            if round < 6 {
                // Any moment, from before the run directory is there.
                try await Task.sleep(for: .seconds(reference.end * Double.random(in: 0..<1)))
            } else {
                try await Self.state(in: scratch)
                try await Task.sleep(for: .seconds((reference.end - reference.firstState) * Double.random(in: 0..<0.9)))
            }
            kill(process, SIGKILL)
        }
        let isMidway = outcome.code == -SIGKILL && scratch.exists("choir.png.run/state.safetensors")
        let total = await Self.hits.count(midway: isMidway)
        if total.rounds == 20 { #expect(total.midway >= 5, "few of the kills hit a painting midway") }

        if scratch.exists("choir.png.run/request.json") {
            let resumed = try await choir("resume", "choir.png.run", "--report", "r.json", "--quiet", in: scratch)
            #expect(resumed.code == 0, "\(resumed.error)")
        } else if !scratch.exists("r.json") {
            // Killed before it began: what a person does then.
            try? FileManager.default.removeItem(atPath: scratch.file("choir.png.run"))
            let again = try await Program.choir.run(
                ["generate"] + Self.arguments(sampler) + ["--quiet", "--report", "r.json"], in: scratch.path)
            #expect(again.code == 0, "\(again.error)")
        }
        #expect(try scratch.json("r.json")["pixelsSHA256"] as? String == reference.hash)
        #expect(scratch.names.filter { !$0.hasSuffix(".partial") } == ["choir.png", "r.json"])
    }

    @Test(arguments: [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8])
    func `Ctrl-C leaves a run that resumes to the same pixels`(fraction: Double) async throws {
        let reference = try #require(try await Self.references["euler"]?.value)
        var scratch = Scratch()
        // A name that a shell would take apart.
        func interrupted(after seconds: Double) async throws -> Program.Outcome {
            try await Program.choir.run(
                ["generate"] + Self.arguments("euler") + ["--quiet", "--run", "my run"], in: scratch.path
            ) { [scratch] process in
                try await Self.state(in: scratch, run: "my run")
                try await Task.sleep(for: .seconds(seconds))
                kill(process, SIGINT)
            }
        }
        var delay = (reference.end - reference.firstState) * fraction * 0.7
        var outcome = try await interrupted(after: delay)
        // Beside other tests the signal may come when the picture is done: then once more, and earlier.
        for _ in 0..<4 where outcome.code == 0 {
            scratch = Scratch()
            delay /= 2
            outcome = try await interrupted(after: delay)
        }
        #expect(outcome.code == 130)
        #expect(outcome.error == "choir: interrupted; continue with: choir resume 'my run'\n")
        #expect(scratch.names == ["my run"])
        let resumed = try await choir(
            "resume", "my run", "--report", "r.json", "--preview", "p.png", "--modules", "1", in: scratch)
        #expect(resumed.code == 0, "\(resumed.error)")
        #expect(try scratch.json("r.json")["pixelsSHA256"] as? String == reference.hash)
        // A run that was named is kept; the preview need not have been asked for before.
        #expect(scratch.names == ["choir.png", "my run", "p.png", "r.json"])
    }

    @Test func `a run is not painted over, and says how to continue`() async throws {
        let scratch = Scratch()
        _ = try await paintedHash(Self.arguments("euler") + ["--run", "r"], in: scratch)
        try await expectRefusal(
            ["generate", "x", "--size", "64x64", "--run", "r"], in: scratch, code: 65,
            saying: ["r: ", "continue with: choir resume r"])
        try FileManager.default.createDirectory(atPath: scratch.file("full"), withIntermediateDirectories: true)
        try scratch.write("mine", to: "full/letter.txt")
        try await expectRefusal(
            ["generate", "x", "--size", "64x64", "--run", "full"], in: scratch, code: 65,
            saying: ["full: ", "other files"])
    }

    static let damages: [(String, [String], @Sendable (inout String) -> Void)] = [
        ("request.json", ["request.json", "not the request"], { $0 = "" }),
        ("request.json", ["request.json", "not the request"], { $0 = String($0.prefix($0.count / 2)) }),
        ("request.json", ["request.json", "request.size is missing"], { $0.replace("\"size\"", with: "\"area\"") }),
        ("request.json", ["request.json", "a number"], { $0.replace("\"seed\" : 0", with: "\"seed\" : -1") }),
        (
            "request.json", ["request.json", "format 2", "expected 1"],
            { $0.replace("\"format\" : 1", with: "\"format\" : 2") }
        ),
        ("request.json", ["request.json", "other", "cosmos"], { $0.replace("\"cosmos\"", with: "\"other\"") }),
        ("request.json", ["request.json", "width", "0"], { $0.replace("\"width\" : 96", with: "\"width\" : 0") }),
        ("request.json", ["request.json", "steps", "0"], { $0.replace("\"steps\" : 6", with: "\"steps\" : 0") }),
        ("request.json", ["request.json", "tile", "7"], { $0.replace("\"tile\" : 64", with: "\"tile\" : 7") }),
        (
            "request.json", ["request.json", "request.bridges.0"],
            { $0.replace("\"consensus\"", with: "\"telepathy\"") }
        ),
        (
            "request.json", ["request.json", "512 modules"],
            { $0.replace("\"modules\" : \"4\"", with: "\"modules\" : \"512\"") }
        ),
        (
            "request.json", ["request.json", "precision int4"],
            { $0.replace(#/"precision" : "\w+"/#, with: "\"precision\" : \"int4\"") }
        ),
        ("request.json", ["state.safetensors", "canvas"], { $0.replace("\"height\" : 64", with: "\"height\" : 640") }),
        ("state.safetensors", ["state.safetensors"], { $0 = "" }),
        ("state.safetensors", ["state.safetensors"], { $0 = "This is a letter to my aunt." }),
        ("state.safetensors", ["state.safetensors"], { $0.removeLast() }),
        (
            "state.safetensors", ["state.safetensors", "stage"],
            { $0.replace("\"stage\":\"1\"", with: "\"stage\":\"7\"") }
        ),
        (
            "state.safetensors", ["state.safetensors", "evaluation"],
            { $0.replace(#/"evaluation":"\d"/#, with: "\"evaluation\":\"9\"") }
        ),
        (
            "state.safetensors", ["state.safetensors", "memory"],
            { $0.replace(#/"evaluation":"\d"/#, with: "\"evaluation\":\"2\"") }
        ),
        ("state.safetensors", ["state.safetensors", "canvas"], { $0.replace("\"canvas\"", with: "\"kanvas\"") }),
    ]

    @Test func `a corrupted run directory is refused in one sentence`() async throws {
        let scratch = Scratch()
        _ = try await paintedHash(Self.arguments("dpmpp2m") + ["--run", "r"], in: scratch)
        for (file, parts, change) in Self.damages {
            let good = try scratch.data("r/" + file)
            // Latin-1 keeps every byte as it is.
            let text = try #require(String(data: good, encoding: .isoLatin1))
            var bad = text
            change(&bad)
            #expect(bad != text, "nothing was damaged for \(parts)")
            try #require(bad.data(using: .isoLatin1)).write(to: URL(fileURLWithPath: scratch.file("r/" + file)))
            try await expectRefusal(["resume", "r", "--quiet"], in: scratch, code: 65, saying: parts)
            try good.write(to: URL(fileURLWithPath: scratch.file("r/" + file)))
        }
        #expect(try await choir("resume", "r", "--quiet", in: scratch).code == 0)
    }

    @Test func `random damage to a run ends in a sentence or a picture`() async throws {
        let scratch = Scratch()
        _ = try await paintedHash(Self.arguments("euler") + ["--run", "r"], in: scratch)
        for round in 0..<12 {
            let file = scratch.file(round % 2 == 0 ? "r/request.json" : "r/state.safetensors")
            let good = try Data(contentsOf: URL(fileURLWithPath: file))
            var bad = good
            for _ in 0..<2 { bad[Int.random(in: 0..<min(600, bad.count))] = UInt8.random(in: 0...255) }
            try bad.write(to: URL(fileURLWithPath: file))
            let outcome = try await choir("resume", "r", "--quiet", "--output", "fuzz.png", in: scratch)
            #expect([0, 64, 65, 69].contains(outcome.code), "\(outcome.error)")
            #expect(outcome.errorLines.count == (outcome.code == 0 ? 0 : 1), "\(outcome.error)")
            try good.write(to: URL(fileURLWithPath: file))
        }
    }

    @Test func `what is no run cannot be resumed`() async throws {
        let scratch = Scratch()
        try scratch.write("mine", to: "letter.txt")
        for run in ["missing", "letter.txt", "."] {
            try await expectRefusal(
                ["resume", run], in: scratch, code: 65, saying: [run, "no run directory", "request.json"])
        }
    }
}
