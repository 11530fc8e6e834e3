import Testing

@testable import Choir

/// Where the elements of a prompt lie.
@Suite struct ElementLayoutTests {
    private static let names = (0..<RegionMap.maximumElements).map { "element \($0)" }

    private func map(
        _ count: Int, _ width: Int = 4096, _ height: Int = 4096, tileable: WrappedAxes? = nil, seed: UInt64 = 0
    ) throws -> RegionMap {
        try RegionMap(
            elements: Array(Self.names.prefix(count)), size: PixelSize(width: width, height: height),
            tileable: tileable, seed: seed)
    }

    @Test(arguments: 2...RegionMap.maximumElements, [(4096, 4096), (8192, 2048), (1000, 3000)])
    func `every element has its share of the picture`(count: Int, size: (Int, Int)) throws {
        for seed in 0..<10 {
            let map = try map(count, size.0, size.1, seed: UInt64(seed))
            #expect(map.contents.map { $0?.prompt } == Self.names.prefix(count).map { $0 })
            for element in 0..<count {
                let share = map.share(of: element, columns: 0...1, rows: 0...1)
                #expect(share > 0.25 / Double(count), "element \(element) of \(count), seed \(seed)")
            }
        }
    }

    @Test func `places follow from the seed and the shape alone`() throws {
        #expect(try map(3, seed: 5) == map(3, seed: 5))
        #expect(try map(3, 8192, 4096) == map(3, 1024, 512))
        let maps = try Set((0..<8).map { try map(3, seed: $0) })
        #expect(maps.count == 8)
        // Exactly: one request is one map on every machine.
        let row = try map(3).cells.prefix(128)
        #expect(row.indices.filter { $0 > 0 && row[$0] != row[$0 - 1] } == [35])
    }

    @Test(arguments: [WrappedAxes.x, .y, .xy])
    func `elements go on across edges that meet`(axes: WrappedAxes) throws {
        for seed in 0..<6 {
            let map = try map(4, tileable: axes, seed: UInt64(seed))
            let last = map.width - 1
            let across = { (axis: CanvasAxis) in
                (0..<map.width).count { place in
                    axis == .x
                        ? map.cells[place * map.width] == map.cells[place * map.width + last]
                        : map.cells[place] == map.cells[last * map.width + place]
                }
            }
            // A border may lie along the edge for some of its length, seldom for a third.
            for axis in [CanvasAxis.x, .y] where axes.contains(axis) {
                #expect(across(axis) > map.width * 2 / 3, "\(axis), seed \(seed)")
            }
        }
    }

    @Test func `too few and too many are refused`() throws {
        #expect(throws: RequestError.self) { try map(1) }
        #expect(throws: RequestError.self) {
            try RegionMap(elements: Self.names + ["one more"], size: PixelSize(width: 512, height: 512), seed: 0)
        }
    }

    @Test func `a request is laid out once, and only if its prompt names several things`() throws {
        var model = FakeDenoiser()
        let request = PaintRequest(prompt: "a, b", size: PixelSize(width: 128, height: 96))
        let laidOut = { try ParallelDiffusionPipeline(denoiser: model, modules: 1).layingOutElements(of: $0) }
        for elements in [[], ["a"], Self.names + ["one more"]] {
            model.elements = elements
            #expect(try laidOut(request) == request)
        }
        model.elements = ["a", "b"]
        var full = request
        full.regions = Array(repeating: RegionTests.region("c", 0, 0, 1, 1), count: PaintRequest.maximumRegions - 1)
        #expect(try laidOut(full) == full)
        let first = try laidOut(request)
        #expect(first.map?.contents.map { $0?.prompt } == ["a", "b"])
        model.elements = ["c", "d"]
        #expect(try laidOut(first) == first)
    }
}
