import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Foundation
import Testing

@Suite struct RuntimeTests {
    private func doubling() throws -> Graph {
        let g = GraphBuilder(name: "doubling", weights: try WeightStore())
        let x = try g.parameter("x", shape: [1, 4])
        try g.result("y", g.add(x, x))
        return try g.build()
    }

    @Test("The engine is of the pinned version and has a processor that computes in f32")
    func engineIsThere() throws {
        #expect(try OpenVINORuntime.version.hasPrefix("2026.4.1"))
        let runtime = try sharedRuntime()
        #expect(try runtime.availableDevices().contains("CPU"))
        #expect(try runtime.capabilities(of: "CPU").contains("FP32"))
        #expect(try !runtime.fullName(of: "CPU").isEmpty)
    }

    @Test("A device that is not there is refused with the list of those that are")
    func missingDeviceIsRefused() async throws {
        let options = CompileOptions(device: "TPU", cacheDirectory: nil)
        let error = await #expect(throws: OpenVINOError.self) {
            try await sharedRuntime().compile(doubling(), options: options)
        }
        let devices = try sharedRuntime().availableDevices().joined(separator: ", ")
        #expect(error?.description == "device TPU: this machine does not have it; it has \(devices)")
        #expect(error?.code == .device)
    }

    @Test(
        "Options outside their range are refused",
        arguments: [
            (CompileOptions(concurrentRequests: 0), "concurrentRequests: expected 1 to 1024, found 0"),
            (CompileOptions(threads: -2), "threads: expected 1 to 4096, found -2"),
            (CompileOptions(device: ""), "device: expected a name such as CPU or GPU.0, found \"\""),
            (CompileOptions(device: "CPU\n"), "device: expected a name such as CPU or GPU.0, found \"CPU\n\""),
        ]
    )
    func badOptionsAreRefused(options: CompileOptions, text: String) async throws {
        let error = await #expect(throws: OpenVINOError.self) {
            try await sharedRuntime().compile(doubling(), options: options)
        }
        #expect(error?.description == text)
    }

    @Test("Automatic precision is bf16 where the processor is fast in it and f32 elsewhere")
    func automaticPrecisionIsResolved() async throws {
        let hasBFloat16 = try sharedRuntime().capabilities(of: "CPU").contains("BF16")
        let model = try await sharedRuntime().compile(doubling(), options: CompileOptions(cacheDirectory: nil))
        let processor = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let isSlow = processor.contains("GenuineIntel") && !processor.contains("amx_bf16")
        #expect(model.precision == (hasBFloat16 && !isSlow ? .bf16 : .f32))
        #expect(try sharedRuntime().resolvedPrecision(.f32, device: "CPU") == .f32)
    }

    @Test("A precision that the processor does not offer is refused")
    func missingPrecisionIsRefused() throws {
        let runtime = try sharedRuntime()
        let capabilities = try runtime.capabilities(of: "CPU")
        for precision in [CompileOptions.Precision.bf16, .f16]
        where !capabilities.contains(precision == .bf16 ? "BF16" : "FP16") {
            expectError(
                "precision \(precision): device CPU does not compute in it; it offers "
                    + capabilities.joined(separator: ", ")
            ) { try runtime.resolvedPrecision(precision, device: "CPU") }
        }
    }

    @Test("bf16 stays near f32 and is not equal to it")
    func reducedPrecisionIsUsed() async throws {
        guard CompileOptions.Precision.allOffered.contains(.bf16) else { return }
        let weight = Tensor.random([16, 64], seed: 21)
        let x = Tensor.random([4, 64], seed: 22)
        func product(_ precision: CompileOptions.Precision) async throws -> Tensor {
            let options = CompileOptions(precision: precision, cacheDirectory: nil)
            return try await run([x], options: options) { (g, x) throws(GraphError) in
                [try g.linear(x[0], weight: g.constant(weight))]
            }[0]
        }
        let distance = try await product(.f32).distance(to: product(.bf16))
        #expect(distance > 0)
        #expect(distance < 0.2)
    }
}
