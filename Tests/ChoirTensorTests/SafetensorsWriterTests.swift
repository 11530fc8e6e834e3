import ChoirTensor
import Foundation
import Testing

@Suite struct SafetensorsWriterTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `what is written is read back`() throws {
        let noise = CounterNoise(seed: 3).normal(region: Region(x: 0, y: 0, width: 7, height: 5), channels: 3, draw: 0)
        let path = directory.file("all.safetensors")
        let metadata = ["step": "7", "quoted": "a \"b\" \\ / \n \u{1} é 🌌", "": ""]
        try SafetensorsWriter.write(
            tensors: [
                "latent": .float32(noise), "half": .float16(noise), "ids": .int64([2, 2], [1, -2, .max, .min]),
                "bytes": .uint8([3], [0, 128, 255]), "none": .float32(Tensor(shape: [0, 4])),
                "scalar": .float32(Tensor(shape: [], elements: [-0.5])), "name \"é\"\n": .uint8([1], [9]),
            ],
            metadata: metadata,
            to: path
        )
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == metadata)
        #expect(file.tensors.count == 7)
        #expect(try file.floats("latent") == noise)
        #expect(try file.floats("half").elements == noise.elements.map { Float(Float16($0)) })
        #expect(try file.integers("ids") == [1, -2, .max, .min])
        #expect(try file.entry("ids").shape == [2, 2])
        #expect(try file.integers("bytes") == [0, 128, 255])
        #expect(try file.floats("none").shape == [0, 4])
        #expect(try file.floats("scalar") == Tensor(shape: [], elements: [-0.5]))
        #expect(try file.integers("name \"é\"\n") == [9])
        for entry in file.tensors.values {
            #expect(entry.fileRange.lowerBound % entry.dataType.byteCount == 0)
        }
        #expect(try directory.contents() == ["all.safetensors"])
    }

    @Test func `the bytes are the documented ones`() throws {
        let path = directory.file("small.safetensors")
        try SafetensorsWriter.write(
            tensors: ["b": .float32(Tensor(shape: [1], elements: [1])), "a": .uint8([1], [7])],
            metadata: ["k": "v"],
            to: path
        )
        let header =
            #"{"__metadata__":{"k":"v"},"a":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},"#
            + #""b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(try bytes(at: path) == SafetensorsFixture.bytes(header: padded, data: [0, 0, 0x80, 0x3F, 7]))
    }

    @Test func `an empty file is valid`() throws {
        let path = directory.file("empty.safetensors")
        try SafetensorsWriter.write(tensors: [:], to: path)
        #expect(try SafetensorsFile(path: path).names.isEmpty)
    }

    @Test func `the reserved name is refused`() throws {
        let error = #expect(throws: SafetensorsError.self) {
            try SafetensorsWriter.write(tensors: ["__metadata__": .uint8([1], [0])], to: directory.file("x"))
        }
        #expect(error?.message.contains("reserved") == true)
        #expect(try directory.contents().isEmpty)
    }

    @Test func `an unwritable place is an error that names the path`() throws {
        let path = directory.file("missing/x.safetensors")
        let error = #expect(throws: SafetensorsError.self) {
            try SafetensorsWriter.write(tensors: ["a": .uint8([1], [0])], to: path)
        }
        #expect(error?.code == .writing)
        #expect(error?.description.contains(path) == true)
        #expect(error?.description.contains("No such file or directory") == true)
    }

    @Test func `a map of the old file stays valid while it is replaced`() throws {
        let path = directory.file("state.safetensors")
        try SafetensorsWriter.write(tensors: ["a": .int64([1], [1])], to: path)
        let old = try SafetensorsFile(path: path)
        try SafetensorsWriter.write(tensors: ["a": .int64([1], [2])], to: path)
        #expect(try old.integers("a") == [1])
        #expect(try SafetensorsFile(path: path).integers("a") == [2])
    }
}
