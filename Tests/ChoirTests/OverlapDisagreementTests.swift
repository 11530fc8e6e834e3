import ChoirTensor
import Testing

@testable import Choir

@Suite struct OverlapDisagreementTests {
    /// Random predictions of all tiles of a plan.
    private func predictions(_ plan: TilePlan) -> [Tensor] {
        plan.tiles.map { tile in
            let size = Region(x: 0, y: 0, width: tile.window.width, height: tile.window.height)
            return CounterNoise(seed: 5).normal(region: size, channels: 2, draw: tile.index)
        }
    }

    private func disagreement(_ bridge: any Bridge, _ plan: TilePlan, _ predictions: [Tensor]) -> Double? {
        let sheet = bridge.sharesCanvas ? nil : TileSheet(plan: plan)
        let shape = sheet?.shape(channels: 2) ?? [2, plan.rows.length, plan.columns.length]
        var merger = TileMerger(bridge: bridge, plan: plan, sheet: sheet, shape: shape)
        for tile in plan.tiles { merger.add(predictions[tile.index], of: tile) }
        return merger.disagreement
    }

    @Test(arguments: ConsensusWeights.allCases)
    func `of two tiles it is the weighted variance over their overlap`(weights: ConsensusWeights) throws {
        let bridge = OverlapConsensus(weights: weights)
        let plan = TilePlan(
            columns: TileAxis(length: 80, window: 48, overlap: 16, alignment: 16),
            rows: TileAxis(length: 16, window: 16, overlap: 0, alignment: 16))
        let predictions = predictions(plan)
        let shares = bridge.mergeWeights(along: plan.columns)
        var (sum, count) = (0.0, 0)
        for channel in 0..<2 {
            for y in 0..<16 {
                for x in 32..<48 {
                    let pairs = [0, 1].map { tile in
                        (
                            weight: Double(shares[tile][x - 32 * tile]),
                            value: Double(predictions[tile][channel, y, x - 32 * tile])
                        )
                    }
                    guard pairs.allSatisfy({ $0.weight > 0 }) else { continue }
                    let mean = pairs.reduce(0) { $0 + $1.weight * $1.value }
                    sum += pairs.reduce(0) { $0 + $1.weight * ($1.value - mean) * ($1.value - mean) }
                    count += 1
                }
            }
        }
        let found = try #require(disagreement(bridge, plan, predictions))
        #expect(count > 0)
        #expect(abs(found - sum / Double(count)) < 1e-5)
    }

    @Test(arguments: BridgeRule.merging)
    func `tiles that agree do not disagree, and others do`(rule: BridgeRule) throws {
        let plan = rule.plan()
        let whole = Region(x: 0, y: 0, width: plan.columns.length, height: plan.rows.length)
        let canvas = CounterNoise(seed: 1).normal(region: whole, channels: 2, draw: 0)
        let agreeing = plan.tiles.map { canvas.copy(region: $0.window, border: plan.border) }
        if rule.bridge.overlaps {
            #expect(try #require(disagreement(rule.bridge, plan, agreeing)) < 1e-10)
            #expect(try #require(disagreement(rule.bridge, plan, predictions(plan))) > 0.05)
        } else {
            #expect(disagreement(rule.bridge, plan, agreeing) == nil)
        }
    }

    @Test func `painting tells it for each step where there is an overlap`() async throws {
        var request = BridgeRule(bridges: [.consensus]).request()
        request.steps = 3
        let pipeline = try ParallelDiffusionPipeline(denoiser: FakeDenoiser(), modules: 2)
        var steps: [Int] = []
        for try await event in pipeline.paint(request) {
            if case .disagreement(let value, let step) = event {
                steps.append(step)
                #expect(value.isFinite && value > 0)
            }
        }
        #expect(steps == [1, 2, 3])
    }
}
