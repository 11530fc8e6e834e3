import ChoirSampling
import ChoirTensor
import Testing

@testable import Choir

/// What every bridge keeps to by being in the list.
@Suite struct BridgePropertyTests {
    @Test(arguments: BridgeRule.merging)
    func `tiles that agree are left unchanged, so a constant canvas stays constant`(rule: BridgeRule) {
        let start = rule.plan()
        let whole = Region(x: 0, y: 0, width: start.columns.length, height: start.rows.length)
        let canvases = [
            Tensor(shape: [2, whole.height, whole.width], repeating: 0.7),
            CounterNoise(seed: 1).normal(region: whole, channels: 2, draw: 0),
        ]
        for canvas in canvases {
            for evaluation in 0..<3 {
                let plan = rule.bridge.move(start, at: evaluation)
                let sheet = rule.bridge.sharesCanvas ? nil : TileSheet(plan: plan)
                let shape = sheet?.shape(channels: 2) ?? canvas.shape
                var merger = TileMerger(bridge: rule.bridge, plan: plan, sheet: sheet, shape: shape)
                for tile in plan.tiles {
                    merger.add(canvas.copy(region: tile.window, border: plan.border), of: tile)
                }
                let merged = sheet?.stitch(merger.denoised) ?? merger.denoised
                let difference = zip(merged.elements, canvas.elements).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 1
                #expect(difference <= 4 * Float.ulpOfOne)
            }
        }
    }

    @Test(arguments: BridgeRule.merging)
    func `windows cover the canvas, keep their shape and number, and cores partition it`(rule: BridgeRule) {
        let start = rule.plan()
        for evaluation in 0..<12 {
            let plan = rule.bridge.move(start, at: evaluation)
            #expect(plan.count == start.count)
            for (axis, first) in [(plan.columns, start.columns), (plan.rows, start.rows)] {
                #expect(axis.window == first.window && axis.window % 16 == 0)
                var owners = [Int](repeating: 0, count: axis.length)
                for (start, core) in zip(axis.starts, axis.cores) {
                    #expect(start >= 0 && (start..<start + axis.window).contains(core.lowerBound))
                    #expect(core.upperBound <= start + axis.window)
                    #expect(axis.wraps || start + axis.window <= axis.length)
                    for cell in core { owners[cell % axis.length] += 1 }
                }
                #expect(owners.allSatisfy { $0 == 1 })
            }
        }
    }

    @Test(arguments: BridgeRule.merging)
    func `weights sum to one over every cell`(rule: BridgeRule) {
        for axis in [rule.plan().columns, rule.plan(tile: 208, overlap: 96).columns] {
            var sums = [Float](repeating: 0, count: axis.length)
            for (start, weights) in zip(axis.starts, rule.bridge.mergeWeights(along: axis)) {
                #expect(weights.count == axis.window && weights.allSatisfy { $0 >= -Float.ulpOfOne })
                for (offset, weight) in weights.enumerated() { sums[(start + offset) % axis.length] += weight }
            }
            #expect(sums.allSatisfy { abs($0 - 1) <= 2 * Float.ulpOfOne })
        }
    }

    @Test(arguments: BridgeRule.all)
    func `one module and five, in whatever order tiles finish, paint the same finite bits`(rule: BridgeRule)
        async throws
    {
        let alone = try #require(try await canvas(rule.request(), modules: 1))
        #expect(alone.width == 144 && alone.height == 80)
        let finite = alone.elements.allSatisfy { $0.isFinite }
        #expect(finite)
        var slow = FakeDenoiser()
        slow.disturb = { _ in try await Task.sleep(for: .microseconds(Int.random(in: 0..<3000))) }
        let same = try await canvas(rule.request(), by: slow, modules: 5) == alone
        #expect(same)
    }

    @Test(arguments: BridgeRule.all)
    func `a painting that was cut off continues to the same bits`(rule: BridgeRule) async throws {
        let runs = RunTests()
        let whole = try await canvas(rule.request())
        // The second and a later step of the finest stage, whatever came before it.
        let count = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 1).plan(rule.request()).evaluations
        for predictions in [count / 3, count - 1] {
            let scratch = Scratch()
            try await runs.paint(rule.request(), in: scratch.run, predictions: predictions)
            let same = try await runs.resumed(scratch.run) == whole
            #expect(same)
        }
    }

    @Test(arguments: BridgeRule.merging, [(16, 16), (48, 300), (208, 32)])
    func `any size is painted, without a number that is not finite`(rule: BridgeRule, size: (Int, Int)) async throws {
        let painted = try #require(try await canvas(rule.request(width: size.0, height: size.1)))
        #expect(painted.width >= size.0 && painted.height >= size.1)
        let finite = painted.elements.allSatisfy { $0.isFinite }
        #expect(finite)
    }

    @Test func `each rule and each weight paints a picture of its own`() async throws {
        var seen: [Tensor?] = []
        for rule in BridgeRule.merging {
            let painted = try await canvas(rule.request())
            let isNew = !seen.contains(painted)
            #expect(isNew, "\(rule) painted what another rule painted")
            seen.append(painted)
        }
    }
}
