import ChoirGraph
import ChoirRuntime
import ChoirTensor
import Dispatch
import Foundation
import Testing

@Suite struct InferenceRequestTests {
    /// `y = convolution(x)` repeated, with the same small weight, so that only time grows with the depth.
    private func tower(size: Int, channels: Int, depth: Int) throws -> Graph {
        let g = GraphBuilder(name: "tower", weights: try WeightStore())
        var x = try g.parameter("x", shape: [1, channels, size, size])
        let weight = try g.constant(.random([channels, channels, 3, 3], seed: 1, in: -0.06...0.06))
        for _ in 0..<depth { x = try g.silu(g.convolution(x, weight: weight, padding: 1)) }
        try g.result("y", x)
        return try g.build()
    }

    @Test(
        "Eight requests at once give the same bits as one after another",
        arguments: CompileOptions.Precision.allOffered
    )
    func concurrentRequestsAgree(precision: CompileOptions.Precision) async throws {
        let options = CompileOptions(precision: precision, concurrentRequests: 8, cacheDirectory: nil)
        let model = try await sharedRuntime().compile(tower(size: 24, channels: 16, depth: 4), options: options)
        let inputs = (0..<8).map { Tensor.random([1, 16, 24, 24], seed: UInt64(10 + $0)) }

        let single = try model.makeRequest()
        var expected: [Tensor] = []
        for input in inputs {
            try single.setInput("x", input)
            try await single.run()
            expected.append(try single.output("y"))
        }
        #expect(Set(expected).count == 8)

        let found = try await withThrowingTaskGroup(of: (Int, Tensor).self) { group in
            for (index, input) in inputs.enumerated() {
                group.addTask {
                    let request = try model.makeRequest()
                    try request.setInput("x", input)
                    for _ in 0..<3 { try await request.run() }
                    return (index, try request.output("y"))
                }
            }
            return try await group.reduce(into: [Int: Tensor]()) { $0[$1.0] = $1.1 }
        }
        for index in inputs.indices { #expect(found[index] == expected[index], "request \(index)") }
    }

    @Test("A cancelled task stops the engine with CancellationError, and the request runs again")
    func cancellationStopsTheEngine() async throws {
        // Some seconds of work, so that the cancellation meets it under way.
        let model = try await sharedRuntime().compile(tower(size: 192, channels: 64, depth: 48), options: .exact)
        let input = Tensor.random([1, 64, 192, 192], seed: 3)
        let started = DispatchSemaphore(value: 0)
        let task = Task {
            let request = try model.makeRequest()
            try request.setInput("x", input)
            started.signal()
            do {
                try await request.run()
                return (wasCancelled: false, output: try request.output("y"))
            } catch is CancellationError {
                // A task that is cancelled cannot run it, another one can.
                nonisolated(unsafe) let request = request
                return try await Task.detached {
                    try await request.run()
                    return (wasCancelled: true, output: try request.output("y"))
                }.value
            }
        }
        // From a thread of its own: the other tests may keep all of Swift's busy until the work is done.
        DispatchQueue.global().async {
            started.wait()
            Thread.sleep(forTimeInterval: 0.05)
            task.cancel()
        }
        let (wasCancelled, output) = try await task.value
        #expect(wasCancelled)
        #expect(output.elements.contains { $0 != 0 })
        #expect(output.distance(to: output) == 0)
    }

    @Test("A task that was cancelled before does not start the engine")
    func cancelledTaskDoesNotStart() async throws {
        let model = try await sharedRuntime().compile(tower(size: 8, channels: 4, depth: 1), options: .exact)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            let request = try model.makeRequest()
            try await request.run()
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("The time of a run is positive and not longer than the wait for it")
    func runReportsItsTime() async throws {
        let model = try await sharedRuntime().compile(tower(size: 32, channels: 16, depth: 4), options: .exact)
        let request = try model.makeRequest()
        var time = Duration.zero
        let total = try await ContinuousClock().measure { time = try await request.run() }
        #expect(time > .zero)
        #expect(time <= total)
    }

    @Test("Wrong names, shapes and kinds of numbers are refused by name")
    func wrongPortsAreRefused() async throws {
        let g = GraphBuilder(name: "ports", weights: try WeightStore())
        let x = try g.parameter("latent", shape: [1, 4])
        let ids = try g.parameter("ids", shape: [1, 2], elementType: .i32)
        try g.result("sum", g.add(x, x))
        try g.result("same ids", g.add(ids, ids))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()

        expectError("input image of ports: no such input; the model takes latent, ids") {
            try request.setInput("image", Tensor(shape: [1, 4]))
        }
        expectError("input latent of ports: expected shape [1, 4], found [4, 1]") {
            try request.setInput("latent", Tensor(shape: [4, 1]))
        }
        expectError("input ids of ports: expected i32, found f32 numbers") {
            try request.setInput("ids", Tensor(shape: [1, 2]))
        }
        expectError("input latent of ports: expected f32, found integers") {
            try request.setInput("latent", integers: [1, 2, 3, 4], shape: [1, 4])
        }
        expectError("input ids of ports: 4294967296 at index 1 does not fit in i32") {
            try request.setInput("ids", integers: [1, 1 << 32], shape: [1, 2])
        }
        expectError("output mean of ports: no such output; the model gives sum, same ids") {
            try request.output("mean")
        }
        expectError("output same ids of ports: is of i32, not f32") { try request.output("same ids") }
    }

    @Test("Names with markup and commas find their inputs and outputs")
    func strangeNamesWork() async throws {
        let (input, output) = ("a<b>&\"c\", d", "y,1 'é'")
        let g = GraphBuilder(name: "<strange> & \"named\"", weights: try WeightStore())
        let x = try g.parameter(input, shape: [2])
        try g.result(output, g.add(x, 1))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        try request.setInput(input, Tensor(shape: [2], elements: [1, 2]))
        try await request.run()
        #expect(try request.output(output).elements == [2, 3])
    }

    @Test("Integers select rows of a table", arguments: [ElementType.i32, .i64])
    func integersSelectRows(elementType: ElementType) async throws {
        let table = Tensor.random([5, 3], seed: 9)
        let g = GraphBuilder(name: "rows", weights: try WeightStore())
        let ids = try g.parameter("ids", shape: [1, 4], elementType: elementType)
        try g.result("rows", g.gather(g.constant(table), indices: ids))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        try request.setInput("ids", integers: [4, 0, 2, 4], shape: [1, 4])
        try await request.run()
        let expected = Tensor(shape: [1, 4, 3]) { table.at([[4, 0, 2, 4][$0[1]], $0[2]]) }
        #expect(try request.output("rows") == expected)
    }

    @Test("Inputs and outputs can be reached without a copy")
    func spansReachTheMemory() async throws {
        let g = GraphBuilder(name: "spans", weights: try WeightStore())
        let x = try g.parameter("x", shape: [4])
        try g.result("y", g.add(x, x))
        let request = try await sharedRuntime().compile(g.build(), options: .exact).makeRequest()
        try request.withInput("x") { span in for index in span.indices { span[index] = Float(index) } }
        try await request.run()
        #expect(try request.withOutput("y") { span in span.indices.map { span[$0] } } == [0, 2, 4, 6])
    }
}
