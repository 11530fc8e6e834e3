import ChoirSampling
import ChoirTensor
import Foundation
import Testing

@testable import Choir

@Suite struct RegionTests {
    /// Models that are told something in each square of 16 cells, and models that are told one thing a tile.
    static let models: [FakeDenoiser] = [16, nil].map { cell in
        var model = FakeDenoiser()
        model.traits.conditioningCell = cell
        return model
    }

    static func region(
        _ prompt: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double, feather: Double = 0.05
    ) -> PaintRegion {
        PaintRegion(
            RegionContent(prompt: prompt), in: PictureRectangle(x: x, y: y, width: width, height: height),
            feather: feather)
    }

    static func map(_ width: Int, _ cells: [UInt8], feather: Double = 0.05) throws -> RegionMap {
        let contents = ["first", "second", "third", "fourth"].map { RegionContent(prompt: $0) }
        return try RegionMap(
            width: width, height: cells.count / width, cells: cells, contents: contents, feather: feather)
    }

    static func request(_ change: (inout PaintRequest) throws -> Void) rethrows -> PaintRequest {
        var request = PaintRequest(prompt: "a red nebula", size: PixelSize(width: 208, height: 144))
        try change(&request)
        return request
    }

    /// Requests of all kinds; what they have in common must hold for each.
    static func compositions() throws -> [PaintRequest] {
        [
            request { $0.regions = [region("a", 0.1, 0.2, 0.5, 0.4), region("b", 0.3, 0.1, 0.6, 0.9, feather: 0)] },
            request { $0.regions = [region("a", 0, 0, 0.5, 1), region("b", 0.5, 0, 0.5, 1)] },
            request { $0.regions = [region("a", 0.4, 0.4, 0.01, 0.01), region("b", 0, 0, 1, 0.3, feather: 1)] },
            try request { $0.map = try map(2, [0, 1, 2, 3]) },
            try request {
                $0.map = try map(3, [0, 1, 1, 2, 2, 3, 0, 3, 1], feather: 0)
                $0.regions = [region("a", 0.3, 0.3, 0.7, 0.7)]
            },
            try request {
                $0.map = try RegionMap(
                    width: 2, height: 1, cells: [0, 1],
                    contents: [nil, RegionContent(prompt: "a", negativePrompt: "c", guidance: 4, seed: 9)])
            },
            request {
                $0.regions = [region("a", 0.1, 0.2, 0.5, 0.4), region("b", 0.4, 0.1, 0.6, 0.9)]
                $0.regions?[0].content.guidance = 5
                $0.regions?[1].content.negativePrompt = "d"
                $0.regions?[1].content.seed = 3
                $0.reseeds = [Reseed(PictureRectangle(x: 0.5, y: 0.5, width: 0.3, height: 0.3), seed: 4)]
            },
        ]
    }

    @Test(arguments: 0..<7, [1, 16]) func `weights are a partition at every place`(index: Int, cell: Int) throws {
        let layout = RegionLayout(try Self.compositions()[index])
        for window in [Region(x: 0, y: 0, width: 208, height: 144), Region(x: 64, y: 32, width: 160, height: 128)] {
            let weights = layout.weights(
                in: RegionGrid(SeenCells(window), cell: cell, pictureWidth: 200, pictureHeight: 140))
            let sums = (0..<weights.width * weights.height).map { cell in
                weights.weights.reduce(Float(0)) { $0 + $1[cell] }
            }
            #expect(sums.count == window.width / cell * (window.height / cell))
            #expect(sums.allSatisfy { abs($0 - 1) < 1e-6 })
            #expect(weights.weights.allSatisfy { $0.allSatisfy { $0 >= 0 } })
        }
    }

    @Test func `weights are shares of area, later regions win, and neighbours leave nothing between them`() throws {
        let grid = RegionGrid(
            SeenCells(Region(x: 0, y: 0, width: 64, height: 16)), cell: 16, pictureWidth: 64, pictureHeight: 16)
        func weights(_ regions: [PaintRegion]) -> [Int: [Float]] {
            let found = RegionLayout(Self.request { $0.regions = regions }).weights(in: grid)
            return Dictionary(uniqueKeysWithValues: zip(found.contents, found.weights))
        }
        // 24 of 64 columns: a square and a half.
        #expect(
            weights([Self.region("a", 0, 0, 0.375, 1, feather: 0)]) == [0: [0, 0.5, 1, 1], 1: [1, 0.5, 0, 0]])
        // The feather is 16 of 16 rows: 8 columns to either side of the border at 32.
        let soft = weights([Self.region("a", 0, 0, 0.5, 1, feather: 2)])
        #expect(soft == [0: [0, 0.25, 0.75, 1], 1: [1, 0.75, 0.25, 0]])
        let halves = [Self.region("a", 0, 0, 0.5, 1, feather: 2), Self.region("b", 0.5, 0, 0.5, 1, feather: 2)]
        #expect(weights(halves) == [1: [1, 0.75, 0.25, 0], 2: [0, 0.25, 0.75, 1]])
        let over = [Self.region("a", 0, 0, 1, 1), Self.region("b", 0.25, 0, 0.5, 1, feather: 0)]
        #expect(weights(over) == [1: [1, 0, 0, 1], 2: [0, 1, 1, 0]])
        #expect(weights(over.reversed()) == [2: [1, 1, 1, 1]])
    }

    @Test func `a map's weights are shares of its cells, exact between them`() throws {
        let map = try Self.map(4, [0, 1, 1, 1, 0, 0, 2, 3], feather: 0)
        let grid = RegionGrid(
            SeenCells(Region(x: 0, y: 0, width: 32, height: 16)), cell: 16, pictureWidth: 32, pictureHeight: 16)
        let weights = RegionLayout(Self.request { $0.map = map }).weights(in: grid)
        #expect(weights.contents == [1, 2, 3, 4])
        #expect(weights.weights == [[0.75, 0], [0.25, 0.5], [0, 0.25], [0, 0.25]])
        #expect(map.share(of: 1, columns: 0.125...0.375, rows: 0.25...0.5) == 0.5)
    }

    @Test func `on a ring nothing is special where its ends meet`() throws {
        let cells = (0..<48).map { UInt8($0 * $0 % 4) }
        func weights(movedBy steps: Int, start: Int = 0) throws -> RegionWeights {
            let moved = cells.indices.map { cells[$0 / 8 * 8 + ($0 % 8 - steps + 8) % 8] }
            let request = try Self.request {
                $0.map = try Self.map(8, moved)
                $0.regions = [Self.region("a", Double(steps) / 8, 0.25, 0.25, 0.75, feather: 0.3)]
            }
            let window = Region(x: start, y: 0, width: 64, height: 48)
            return RegionLayout(request).weights(
                in: RegionGrid(
                    SeenCells(window), cell: 1, pictureWidth: 64, pictureHeight: 48, wrapsX: true, wrapsY: true))
        }
        let there = try weights(movedBy: 2)
        let sums = (0..<64 * 48).map { cell in there.weights.reduce(Float(0)) { $0 + $1[cell] } }
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-6 })
        // Moved up to the end of the ring, and seen from there.
        for other in [
            try weights(movedBy: 6, start: 32), try weights(movedBy: 0, start: 48),
            try weights(movedBy: 2, start: -128), try weights(movedBy: 5, start: 88),
        ] {
            #expect(other.contents == there.contents)
            let difference = zip(other.weights, there.weights).flatMap { zip($0, $1).map { abs($0 - $1) } }.max()
            #expect(try #require(difference) < 1e-6)
        }
        // The region's lower edge is the ring's: its border reaches to the other side, by half of the feather.
        let row = there.weights[try #require(there.contents.firstIndex(of: 5))]
        #expect(row[24] > 0.4 && row[24] < 0.5 && row[47 * 64 + 24] > 0.5 && row[10 * 64 + 24] > 0)
    }

    @Test(arguments: 0..<7, [false, true])
    func `what a quick look finds alone is alone`(index: Int, wraps: Bool) throws {
        let layout = RegionLayout(try Self.compositions()[index])
        var found = 0
        for y in stride(from: 0, to: 144, by: 16) {
            for x in stride(from: 0, to: 208, by: 16) {
                let grid = RegionGrid(
                    SeenCells(Region(x: x, y: y, width: 32, height: 16)), cell: 16, pictureWidth: 208,
                    pictureHeight: 144,
                    wrapsX: wraps, wrapsY: wraps)
                guard let only = layout.onlyContent(in: grid) else { continue }
                found += 1
                #expect(layout.weights(in: grid).contents == [only])
            }
        }
        #expect(found > 0)
    }

    @Test(arguments: models) func `a region that covers everything is the plain prompt`(model: FakeDenoiser)
        async throws
    {
        let plain = try await canvas(PaintRequest(prompt: "b", size: PixelSize(width: 208, height: 144)), by: model)
        for request in [
            Self.request { $0.regions = [Self.region("b", 0, 0, 1, 1)] },
            Self.request { $0.regions = [Self.region("a", 0.2, 0.2, 0.3, 0.3), Self.region("b", 0, 0, 1, 1)] },
            try Self.request {
                $0.map = try RegionMap(
                    width: 3, height: 2, cells: [0, 0, 0, 0, 0, 0], contents: [RegionContent(prompt: "b")])
            },
            // A hundred shades of the same, which are mixed.
            Self.request {
                $0.prompt = "b"; $0.regions = [Self.region("b", 0.2, 0.2, 0.3, 0.3)]
            },
        ] {
            let painted = try await canvas(request, by: model)
            let difference = zip(painted?.elements ?? [], plain?.elements ?? []).map { abs($0 - $1) }.max() ?? 1
            // Mixing equal vectors rounds; anything else is the same bits.
            #expect(difference <= (request.prompt == "b" ? 1e-6 : 0))
        }
    }

    @Test(arguments: models) func `a region shows its prompt inside, and what is far outside stays`(
        model: FakeDenoiser
    ) async throws {
        // Without what reaches across tiles: a cell then depends on cells to its left and on coarser ones.
        var plain = PipelineTests.request()
        plain.bridges = [.consensus]
        var model = model
        model.isLocal = true
        var request = plain
        request.regions = [Self.region("zzzzzzzzzz", 0.5, 0.25, 0.25, 0.5)]
        let (before, after) = (try await canvas(plain, by: model), try await canvas(request, by: model))
        let changed = Self.changedCells(before, after)
        // 104 ..< 156 by 36 ..< 108, with half a feather of 4 cells, and where told by squares, up to the square's end.
        #expect(changed.contains { $0 == (130, 70) })
        #expect(changed.allSatisfy { $0.x >= 84 && $0.y >= 16 && $0.y < 128 })
        #expect(!changed.contains { $0.x >= 156 + 30 })
    }

    @Test(arguments: models) func `every setting of a region changes the picture`(model: FakeDenoiser) async throws {
        let base = Self.request { $0.regions = [Self.region("a", 0.2, 0.2, 0.5, 0.5)] }
        var seen = [try await canvas(PipelineTests.request(), by: model), try await canvas(base, by: model)]
        for change: (inout PaintRegion) -> Void in [
            { $0.content.prompt = "b" }, { $0.content.guidance = 7 }, { $0.content.seed = 5 },
            { $0.content.negativePrompt = "c" }, { $0.feather = 0.4 }, { $0.rectangle.x = 0.3 },
            { $0.rectangle.height = 0.2 },
        ] {
            var region = Self.region("a", 0.2, 0.2, 0.5, 0.5)
            change(&region)
            let painted = try await canvas(Self.request { $0.regions = [region] }, by: model)
            let isNew = !seen.contains(painted)
            #expect(isNew, "\(region) painted what another region painted")
            seen.append(painted)
        }
    }

    @Test func `the prediction of mixed prompts is the sum of what each alone predicts by its weight`() async throws {
        // Guidance 1 and one step, one tile, one scale: the arithmetic model is linear in the prompt.
        var model = FakeDenoiser()
        model.traits.scales = [.init(start: 1, refining: .init(steps: 1, guidance: 1, sampler: .euler))]
        let size = PixelSize(width: 64, height: 64)
        func painted(_ prompt: String, _ regions: [PaintRegion]?, _ guidance: Double) async throws -> [Float] {
            var request = PaintRequest(prompt: prompt, size: size)
            request.bridges = [.consensus]
            request.regions = regions
            request.guidance = guidance
            return try await canvas(request, by: model)?.elements ?? []
        }
        for guidance in [1.0, 3.0] {
            let (a, b) = (try await painted("a", nil, guidance), try await painted("zz", nil, guidance))
            let mixed = try await painted("a", [Self.region("zz", 0, 0, 0.5, 1, feather: 0.25)], guidance)
            let share = { (column: Int) in Float(min(1, max(0, (40 - Double(column) - 0.5) / 16))) }
            let expected = a.indices.map { a[$0] + share($0 % 64) * (b[$0] - a[$0]) }
            let difference = zip(mixed, expected).map { abs($0 - $1) }.max() ?? 1
            #expect(difference < 1e-5)
        }
    }

    static func changedCells(_ a: Tensor?, _ b: Tensor?) -> [(x: Int, y: Int)] {
        guard let a, let b, a.shape == b.shape else { return [] }
        let plane = a.width * a.height
        return (0..<plane).filter { cell in
            (0..<3).contains { a.elements[$0 * plane + cell] != b.elements[$0 * plane + cell] }
        }
        .map { ($0 % a.width, $0 / a.width) }
    }
}
