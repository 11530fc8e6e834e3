import Foundation
import Glibc
import Testing

/// Mounting needs to be root and, in a container, to be allowed to.
@Suite(.enabled(if: SmallDisk.isAvailable)) struct FullDiskTests {
    @Test(arguments: [true, false])
    func `a painting that fills the disk is resumable once there is space`(isRunOnDisk: Bool) async throws {
        let reference = try #require(try await ResumeTests.references["euler"]?.value)
        let disk = try SmallDisk(kilobytes: 2048)
        let scratch = Scratch()
        let output = disk.path + "/sky.png"
        let run = isRunOnDisk ? output + ".run" : scratch.file("run")
        try Data("a good picture".utf8).write(to: URL(fileURLWithPath: output))
        let killed = try await Program.choir.run(
            ["generate"] + ResumeTests.arguments("euler") + ["--output", output, "--run", run, "--quiet"],
            in: scratch.path
        ) { process in
            for _ in 0..<6000 where !FileManager.default.fileExists(atPath: run + "/state.safetensors") {
                try await Task.sleep(for: .milliseconds(5))
            }
            kill(process, SIGKILL)
        }
        #expect(killed.code == -SIGKILL)

        try disk.fill()
        let full = try await choir("resume", run, "--quiet", in: scratch)
        #expect(full.code == 73)
        #expect(full.errorLines.count == 1 && full.error.contains("No space left on device"), "\(full.error)")
        #expect(full.error.contains(isRunOnDisk ? run + "/state.safetensors" : output), "\(full.error)")
        #expect(full.error.hasSuffix("; continue with: choir resume \(run)\n"), "\(full.error)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: output)) == Data("a good picture".utf8))
        #expect(disk.names == (isRunOnDisk ? ["ballast", "sky.png", "sky.png.run"] : ["ballast", "sky.png"]))

        try disk.empty()
        let resumed = try await choir("resume", run, "--quiet", "--report", "r.json", in: scratch)
        #expect(resumed.code == 0, "\(resumed.error)")
        #expect(try scratch.json("r.json")["pixelsSHA256"] as? String == reference.hash)
        #expect(try Data(contentsOf: URL(fileURLWithPath: output)).prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
    }

    @Test func `what cannot fit on the disk is refused before it is painted`() async throws {
        let disk = try SmallDisk(kilobytes: 2048)
        let scratch = Scratch()
        for command in ["generate", "plan"] {
            let outcome = try await choir(
                command, "x", "--size", "512x512", "--output", disk.path + "/sky.png", in: scratch)
            #expect(outcome.code == 69)
            #expect(outcome.errorLines.count == 1, "\(outcome.error)")
            #expect(outcome.error.contains("512x512 pixels need up to") && outcome.error.contains("would fit"))
            // The size that it names does fit.
            let size = try #require(outcome.error.firstMatch(of: #/; (\d+x\d+) would fit/#)?.1)
            let smaller = try await choir(
                "plan", "--size", String(size), "--output", disk.path + "/sky.png", in: scratch)
            #expect(smaller.code == 0, "\(smaller.error)")
        }
        #expect(disk.names.isEmpty)
    }
}

/// A mounted file system of a few megabytes.
final class SmallDisk: Sendable {
    let path = NSTemporaryDirectory() + "choir-disk-\(UUID().uuidString)"

    static let isAvailable = (try? SmallDisk(kilobytes: 64)) != nil

    struct MountFailure: Error {}

    init(kilobytes: Int) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kilobytes)k") == 0 else {
            rmdir(path)
            throw MountFailure()
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    /// Leaves not a page.
    func fill() throws {
        let descriptor = open(path + "/ballast", O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let page = [UInt8](repeating: 1, count: 4096)
        while write(descriptor, page, page.count) > 0 {}
    }

    func empty() throws { try FileManager.default.removeItem(atPath: path + "/ballast") }
}
