import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

@Suite struct CacheTests {
    private let directory: TemporaryDirectory
    private let x = Tensor.random([4, 256], seed: 61)

    init() throws { directory = try TemporaryDirectory() }

    private var cache: String { "\(directory.path)/cache/openvino" }

    private func options(_ precision: CompileOptions.Precision = .f32, requests: Int = 1) -> CompileOptions {
        CompileOptions(precision: precision, concurrentRequests: requests, cacheDirectory: cache)
    }

    private func weight(seed: UInt64) -> Tensor { .random([256, 256], seed: seed) }

    private func file(_ name: String, seed: UInt64) throws -> SafetensorsFile {
        try writeCheckpoint(
            [("w.weight", "F32", [256, 256], weight(seed: seed).float32Bytes)],
            to: "\(directory.path)/\(name)"
        )
    }

    /// Compiles `y = x Wᵀ` with the weight of a file and runs it.
    private func evaluate(
        _ file: SafetensorsFile,
        _ options: CompileOptions
    ) async throws -> (isFromCache: Bool, output: Tensor) {
        let g = GraphBuilder(name: "cached", weights: try WeightStore(files: [file]))
        try g.result("y", g.linear(g.parameter("x", shape: x.shape), named: "w", outputs: 256, bias: false))
        let model = try await sharedRuntime().compile(g.build(), options: options)
        let request = try model.makeRequest()
        try request.setInput("x", x)
        try await request.run()
        return (model.isFromCache, try request.output("y"))
    }

    /// The result without a cache.
    private func expected(seed: UInt64) async throws -> Tensor {
        let weight = weight(seed: seed)
        return try await run([x]) { (g, x) throws(GraphError) in [try g.linear(x[0], weight: g.constant(weight))] }[0]
    }

    private func blobs() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: cache).filter { $0.hasSuffix(".blob") }.map {
            "\(cache)/\($0)"
        }
    }

    @Test("The second compilation comes out of the cache and gives the same bits")
    func secondCompilationIsFromCache() async throws {
        let file = try file("a.safetensors", seed: 1)
        let first = try await evaluate(file, options())
        let second = try await evaluate(file, options())
        #expect(!first.isFromCache)
        #expect(second.isFromCache)
        #expect(first.output == second.output)
        #expect(try await first.output.distance(to: expected(seed: 1)) == 0)
        // Only whole entries are left.
        #expect(try FileManager.default.contentsOfDirectory(atPath: cache).allSatisfy { !$0.contains(".") })
        #expect(try blobs().count == 1)
    }

    @Test("Equal graphs with other weights, precision or requests are other entries")
    func otherModelsAreOtherEntries() async throws {
        let a = try file("a.safetensors", seed: 1)
        let b = try file("b.safetensors", seed: 2)
        _ = try await evaluate(a, options())
        let other = try await evaluate(b, options())
        #expect(!other.isFromCache)
        #expect(try await other.output == expected(seed: 2))
        #expect(try await !evaluate(a, options(requests: 2)).isFromCache)
        if CompileOptions.Precision.allOffered.contains(.bf16) {
            #expect(try await !evaluate(a, options(.bf16)).isFromCache)
        }
        let again = try await evaluate(a, options())
        #expect(again.isFromCache)
        #expect(try await again.output == expected(seed: 1))
    }

    @Test("Weights that change in place, under the same name, size and time, are noticed")
    func weightsChangedInPlaceAreNoticed() async throws {
        let path = "\(directory.path)/a.safetensors"
        let attributes: [FileAttributeKey: Any] = [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000)]
        let old = try file("a.safetensors", seed: 1)
        try FileManager.default.setAttributes(attributes, ofItemAtPath: path)
        _ = try await evaluate(old, options())

        let header = old.tensors["w.weight"]!.fileRange.lowerBound
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seek(toOffset: UInt64(header))
        try handle.write(contentsOf: weight(seed: 2).float32Bytes)
        try handle.close()
        try FileManager.default.setAttributes(attributes, ofItemAtPath: path)

        let changed = try await evaluate(SafetensorsFile(path: path), options())
        #expect(!changed.isFromCache)
        #expect(try await changed.output == expected(seed: 2))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: cache).count == 2,
            "the time of the last change, which nobody can set, makes another key")
    }

    @Test("A damaged entry does not stop the work or change the numbers", arguments: ["empty", "cut", "garbage"])
    func damagedEntryIsReplaced(damage: String) async throws {
        let file = try file("a.safetensors", seed: 1)
        _ = try await evaluate(file, options())
        for blob in try blobs() {
            let url = URL(fileURLWithPath: blob)
            let data = try Data(contentsOf: url)
            switch damage {
            case "empty": try Data().write(to: url)
            case "cut": try data.prefix(data.count / 2).write(to: url)
            default: try Data(repeating: 0x5A, count: data.count).write(to: url)
            }
        }
        for _ in 0..<2 {
            #expect(try await evaluate(file, options()).output == expected(seed: 1))
        }
    }

    @Test("Entries that were not used for the longest time make room for new ones")
    func oldEntriesMakeRoom() async throws {
        let files = try (1...4).map { try file("\($0).safetensors", seed: UInt64($0)) }
        _ = try await evaluate(files[0], options())
        let manager = FileManager.default
        let entry = try #require(try manager.contentsOfDirectory(atPath: cache).first)
        let size = try blobs().reduce(0) { try $0 + Data(contentsOf: URL(fileURLWithPath: $1)).count }
        try manager.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -100)], ofItemAtPath: "\(cache)/\(entry)")
        var limited = options()
        limited.cacheByteLimit = 2 * size + size / 2
        _ = try await evaluate(files[1], limited)
        // Used again, the first is newer than the second.
        #expect(try await evaluate(files[0], limited).isFromCache)
        _ = try await evaluate(files[2], limited)
        #expect(try blobs().count == 2)
        #expect(try await evaluate(files[0], limited).isFromCache)
        #expect(try await evaluate(files[2], limited).isFromCache)
        limited.cacheByteLimit = 0
        _ = try await evaluate(files[3], limited)
        #expect(try blobs().count == 1)
        #expect(try await evaluate(files[3], limited).isFromCache)
    }

    @Test("What a killed process left behind is removed after an hour, and not before")
    func abandonedEntriesAreRemoved() async throws {
        let file = try file("a.safetensors", seed: 1)
        _ = try await evaluate(file, options())
        let manager = FileManager.default
        let key = try #require(try manager.contentsOfDirectory(atPath: cache).first)
        try manager.removeItem(atPath: "\(cache)/\(key)")
        for (name, age) in [("old", 4000.0), ("new", 0)] {
            let path = "\(cache)/\(key).\(name)"
            try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
            try Data([1]).write(to: URL(fileURLWithPath: "\(path)/half.blob"))
            try manager.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
        }
        _ = try await evaluate(file, options())
        #expect(try manager.contentsOfDirectory(atPath: cache).sorted() == [key, "\(key).new"])
    }

    @Test("A cache directory that cannot be made is done without")
    func impossibleDirectoryIsIgnored() async throws {
        let file = try file("a.safetensors", seed: 1)
        let options = CompileOptions(precision: .f32, cacheDirectory: "\(file.path)/openvino")
        let result = try await evaluate(file, options)
        #expect(!result.isFromCache)
        #expect(try await result.output == expected(seed: 1))
    }

    @Test("The default directory is below the user's cache directory")
    func defaultDirectoryFollowsXDG() {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? environment["HOME"].map { "\($0)/.cache" }
        #expect(CompileOptions.defaultCacheDirectory == base.map { "\($0)/choir/openvino" })
    }
}
