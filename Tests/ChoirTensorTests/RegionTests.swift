import ChoirTensor
import Foundation
import Testing

@Suite struct RegionTests {
    let region = Region(x: -2, y: 3, width: 5, height: 4)

    @Test func `edges follow from origin and size`() {
        #expect((region.minX, region.maxX) == (-2, 3))
        #expect((region.minY, region.maxY) == (3, 7))
        #expect(!region.isEmpty)
        #expect(Region(x: 1, y: 1, width: 0, height: 9).isEmpty)
    }

    @Test func `the far edges do not belong to a region`() {
        #expect(region.contains(x: -2, y: 3))
        #expect(region.contains(x: 2, y: 6))
        #expect(!region.contains(x: 3, y: 6))
        #expect(!region.contains(x: 2, y: 7))
    }

    @Test func `an intersection has exactly the shared cells`() {
        var generator = SplitMix64(state: 5)
        func random() -> Region {
            Region(
                x: .random(in: -4...4, using: &generator),
                y: .random(in: -4...4, using: &generator),
                width: .random(in: 0...5, using: &generator),
                height: .random(in: 0...5, using: &generator)
            )
        }
        for _ in 0..<300 {
            let (left, right) = (random(), random())
            let shared = left.intersection(right)
            var count = 0
            for y in -5..<10 {
                for x in -5..<10 {
                    let both = left.contains(x: x, y: y) && right.contains(x: x, y: y)
                    if both != (shared?.contains(x: x, y: y) ?? false) {
                        Issue.record("cell (\(x), \(y)) of \(left) and \(right)")
                    }
                    if both { count += 1 }
                }
            }
            #expect(count == (shared.map { $0.width * $0.height } ?? 0))
            #expect(left.contains(right) == (right.isEmpty || shared == right))
        }
    }

    @Test func `a region survives JSON`() throws {
        let data = try JSONEncoder().encode(region)
        #expect(try JSONDecoder().decode(Region.self, from: data) == region)
    }

    @Test(arguments: [
        #"{"x":0,"y":0,"width":-1,"height":1}"#, #"{"x":0,"y":0,"width":1,"height":-1}"#,
        #"{"x":9223372036854775807,"y":0,"width":1,"height":1}"#, #"{"x":0,"y":0,"width":1}"#,
    ])
    func `an impossible region in JSON is an error`(json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Region.self, from: Data(json.utf8)) }
    }
}
