import Foundation
import Testing

/// Bad input: one clear sentence, the exit code of its kind, and nothing lost.
@Suite struct RefusalTests {
    static let small = ["nebula", "--size", "64x64", "--steps", "1"]

    static let requests: [([String], Int32, [String])] = [
        (["x", "--size", "0x64"], 64, ["width", "found 0", "16 to 1048576"]),
        (["x", "--size", "64x-5"], 64, ["height", "found -5", "16 to 1048576"]),
        (["x", "--size", "99999999999x64"], 64, ["width", "found 99999999999", "16 to 1048576"]),
        (["x", "--size", "99999999999999999999x64"], 64, ["size", "99999999999999999999x64", "such as 4096x2048"]),
        (["x", "--size", "large"], 64, ["size", "found large", "such as 4096x2048"]),
        (["x", "--size", "20000x64", "--output", "a.webp"], 64, ["a.webp", "20000", "16383"]),
        (["x", "--sampler", "magic"], 64, ["sampler", "magic", "euler, heun, ddim, dpmpp2m"]),
        (
            ["x", "--bridge", "telepathy"], 64,
            ["bridge", "telepathy", "none, consensus, shift, halo, attention, coarse, dilated"]
        ),
        (["x", "--bridge", "coarse", "coarse"], 64, ["bridges", "coarse, coarse", "no name twice"]),
        (["x", "--precision", "int4"], 64, ["precision", "int4", "auto, bf16, f32, f16"]),
        (["x", "--device", "ABACUS"], 64, ["ABACUS", "CPU"]),
        (["x", "--modules", "0"], 64, ["modules", "found 0", "1 to 256"]),
        (["x", "--modules", "many"], 64, ["many", "--modules"]),
        (["x", "--steps", "0"], 64, ["steps", "found 0", "1 to 1000"]),
        (["x", "--guidance", "nan"], 64, ["guidance", "nan", "0 to 30"]),
        (["x", "--eta", "0.5"], 64, ["eta", "0.5 for dpmpp2m", "0 for others"]),
        (["x", "--eta", "2", "--sampler", "ddim"], 64, ["eta", "found 2", "0 to 1"]),
        (["x", "--noise", "missing.safetensors"], 65, ["missing.safetensors", "No such file or directory"]),
        (["x", "--noise", "folder.png"], 65, ["folder.png"]),
        (["x", "--latents", "missing/l.safetensors"], 73, ["missing/l.safetensors", "No such file or directory"]),
        (["x", "--tile", "63"], 64, ["tile", "found 63", "64 to 4096"]),
        (["x", "--tile", "64", "--overlap", "60"], 64, ["overlap", "found 60", "at most 48"]),
        (["x", "--overlap=-1"], 64, ["overlap", "-1", "0 to 2048"]),
        (["x", "--seed=-1"], 64, ["seed", "-1"]),
        ([String(repeating: "nebula ", count: 2341)], 64, ["prompt", "16387 bytes", "16384"]),
        (["x", "--negative", String(repeating: "n", count: 16_385)], 64, ["negative prompt", "16385 bytes", "16384"]),
        (["x", "--output", "a.gif"], 64, ["a.gif", ".gif", ".png"]),
        (["x", "--output", "picture"], 64, ["picture", "no ending", ".png"]),
        (["x", "--output", "missing/a.png"], 73, ["missing/a.png", "No such file or directory"]),
        (["x", "--output", "/proc/a.png"], 73, ["/proc/a.png"]),
        (["x", "--output", "folder.png"], 73, ["folder.png", "not an ordinary file"]),
        (["x", "--report", "missing/r.json"], 73, ["missing/r.json", "No such file or directory"]),
        (["x", "--report", "folder.png"], 73, ["folder.png", "not a regular file"]),
        (["x", "--preview", "missing/p.png"], 73, ["missing/p.png", "No such file or directory"]),
        (["x", "--preview", "p.gif"], 64, ["p.gif", ".gif"]),
        (["x", "--run", "choir.png"], 73, ["choir.png"]),
        (["x", "--run", "/proc/run"], 73, ["/proc/run"]),
        (["x", "--model", "missing"], 65, ["missing/config.json"]),
        ([String(repeating: "&", count: 16_384), "--output", "a.jpg"], 64, ["a.jpg", "metadata", "60000"]),
        ([], 64, ["prompt"]),
    ]

    @Test(arguments: requests)
    func `a request that cannot be painted is refused`(
        arguments: [String], code: Int32, parts: [String]
    ) async throws {
        let scratch = Scratch()
        try scratch.write("a good picture", to: "choir.png")
        try FileManager.default.createDirectory(atPath: scratch.file("folder.png"), withIntermediateDirectories: true)
        let size = arguments.contains("--size") ? [] : ["--size", "64x64"]
        try await expectRefusal(["generate"] + arguments + size, in: scratch, code: code, saying: parts)
    }

    @Test func `an empty prompt and the longest one are painted`() async throws {
        let scratch = Scratch()
        let size = ["--size", "64x64", "--steps", "1"]
        let empty = try await paintedHash([""] + size, in: scratch)
        let long = try await paintedHash(
            [String(String(repeating: "nebula ", count: 2341).prefix(16_384))] + size, in: scratch)
        #expect(empty != long)
    }

    @Test func `a plan runs nothing`() async throws {
        let scratch = Scratch()
        let outcome = try await choir("plan", "--size", "160x96", "--tile", "64", "--steps", "1", in: scratch)
        #expect(outcome.code == 0, "\(outcome.error)")
        #expect(outcome.error.isEmpty)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 6)
        #expect(lines[0].contains("1 x 1 tiles of 32x16, overlap 0, 8 steps of Euler a, guidance 3.0"))
        #expect(lines[2].hasPrefix("160x96: 3 x 2 tiles of 64x64, overlap 16, 1 steps of DPM++ 2M"))
        #expect(lines[3] == "evaluations of the network: 26")
        #expect(lines[4].hasPrefix("peak memory: about 0."))
        #expect(lines[5].hasPrefix("disk: up to 0."))
        #expect(scratch.names.isEmpty)
    }

    @Test(arguments: ["1048576x1048576", "1048576x500000"])
    func `what does not fit into memory is refused with the size that would`(size: String) async throws {
        let scratch = Scratch()
        for command in ["plan", "generate"] {
            let outcome = try await choir(command, "x", "--size", size, "--modules", "1", in: scratch)
            #expect(outcome.code == 69)
            #expect(outcome.errorLines.count == 1, "\(outcome.error)")
            #expect(outcome.error.hasPrefix("choir: \(size) pixels need "))
            #expect(outcome.error.firstMatch(of: #/are available; \d+x\d+ would fit\n$/#) != nil, "\(outcome.error)")
            #expect(scratch.names.isEmpty)
        }
    }

    static let readings: [([String], Int32, [String])] = [
        (["inspect", "missing.png"], 65, ["missing.png", "No such file or directory"]),
        (["inspect", "garbage.png"], 65, ["garbage.png", "not a readable"]),
        (["inspect", "garbage.dzi"], 65, ["garbage.dzi", "not"]),
        (["inspect", "empty.png"], 65, ["empty.png", "not a readable"]),
        (["inspect", "garbage.safetensors"], 65, ["garbage.safetensors"]),
        (["inspect", "missing.safetensors"], 65, ["missing.safetensors", "No such file or directory"]),
        (["inspect", "folder"], 65, ["folder/config.json"]),
        (["inspect", "/dev/null"], 65, ["/dev/null", "not an ordinary file"]),
        (["seams", "missing.png", "--tile", "64"], 65, ["missing.png", "No such file or directory"]),
        (["seams", "garbage.png", "--tile", "64"], 65, ["garbage.png", "not a readable"]),
        (["seams", "plain.ppm"], 64, ["tile", "plain.ppm", "--tile"]),
        (["seams", "plain.ppm", "--tile", "64"], 64, ["no tile border"]),
        (["seams", "plain.ppm", "--tile", "0"], 64, ["tile", "found 0", "16 to"]),
        (["seams", "plain.ppm", "--tile", "9223372036854775807"], 64, ["tile", "9223372036854775807"]),
        (["seams", "plain.ppm", "--tile", "32", "--overlap", "17"], 64, ["overlap", "32 and 17", "half"]),
        (["seams", "cut.ppm", "--tile", "16"], 65, ["cut.ppm"]),
    ]

    @Test(arguments: readings)
    func `a file that is not what it should be is refused`(
        arguments: [String], code: Int32, parts: [String]
    ) async throws {
        let scratch = Scratch()
        for name in ["garbage.png", "garbage.dzi", "garbage.safetensors"] {
            try scratch.write("This is a letter to my aunt.", to: name)
        }
        try scratch.write("", to: "empty.png")
        let pixels = Data(repeating: 9, count: 3 * 48 * 48)
        try (Data("P6\n48 48\n255\n".utf8) + pixels).write(to: URL(fileURLWithPath: scratch.file("plain.ppm")))
        try (Data("P6\n48 48\n255\n".utf8) + pixels.prefix(900)).write(
            to: URL(fileURLWithPath: scratch.file("cut.ppm")))
        try FileManager.default.createDirectory(atPath: scratch.file("folder"), withIntermediateDirectories: true)
        try await expectRefusal(arguments, in: scratch, code: code, saying: parts)
    }
}
