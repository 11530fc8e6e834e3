internal import CVips
import Choir
import ChoirEngine
import ChoirImage
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

/// A copy of a denoiser that `Scripts/fixtures/own_denoiser.py` made, which a test may change.
final class OwnDenoiserFixture: Sendable {
    static let fixtures =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/OwnDenoiser/"

    let folder = NSTemporaryDirectory() + "choir-own-\(UUID().uuidString)"

    /// - Parameters:
    ///   - kind: `gaussian`, `timestep` or `network`.
    init(_ kind: String) throws { try FileManager.default.copyItem(atPath: Self.fixtures + kind, toPath: folder) }

    /// One of the graphs that are wrong in one way, with a manifest.
    init(graph: String, manifest: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: Self.fixtures + "graphs/\(graph).onnx", toPath: folder + "/\(graph).onnx")
        try write(Data(manifest.utf8), to: "choir.json")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) }

    func write(_ data: Data, to name: String) throws {
        try data.write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    /// Changes a text of the manifest.
    func edit(_ text: String, to other: String) throws {
        let before = String(decoding: try data("choir.json"), as: UTF8.self)
        try #require(before.contains(text))
        try write(Data(before.replacingOccurrences(of: text, with: other).utf8), to: "choir.json")
    }

    func pipeline(modules: Int = 2) async throws -> ParallelDiffusionPipeline {
        var options = EngineOptions()
        options.precision = .f32
        return try await ParallelDiffusionPipeline(
            model: ModelReference(path: folder), modules: modules, options: options)
    }

    func painting(
        _ request: PaintRequest, modules: Int = 2, run: RunDirectory? = nil
    ) async throws -> Painting {
        try await pipeline(modules: modules).paint(request, run: run).painting()
    }
}

extension AsyncThrowingStream<PaintEvent, any Error> {
    /// The finished painting.
    func painting() async throws -> Painting {
        for try await event in self { if case .finished(let painting) = event { return painting } }
        throw CancellationError()
    }
}

/// The 16-bit numbers of a grey picture, as libvips reads them.
func greyLevels(of path: String) throws -> [UInt16] {
    try ImageRuntime.start()
    let source = try #require(vips_source_new_from_file(path))
    defer { g_object_unref(source) }
    let image = try #require(cvips_image_new_from_source(source))
    defer { g_object_unref(image) }
    try #require(vips_image_get_bands(image) == 1 && vips_image_get_format(image) == VIPS_FORMAT_USHORT)
    var count = 0
    let memory = try #require(vips_image_write_to_memory(image, &count))
    defer { g_free(memory) }
    return Array(UnsafeRawBufferPointer(start: memory, count: count).bindMemory(to: UInt16.self))
}
