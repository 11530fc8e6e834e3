import ChoirImage
import Testing

@Suite struct TilingScoreTests {
    /// Lines of grey pixels of one level each.
    private static func lines(_ levels: [UInt8]) -> [[UInt8]] {
        levels.map { [UInt8](repeating: $0, count: 3 * 40) }
    }

    @Test func `it is the largest of the differences at the join and 15 lines away`() {
        let ramp = (0..<25).map { UInt8($0) }
        let flat = TilingScore(first: Self.lines(ramp), second: Self.lines(ramp))
        #expect(flat.join == 0)
        #expect(abs(flat.score - 1 / 255) < 1e-12)
        #expect(abs(flat.inside - 1 / 255) < 1e-12)
        let apart = TilingScore(first: Self.lines(ramp), second: Self.lines(ramp.map { $0 + 51 }))
        #expect(abs(apart.score - 0.2) < 1e-12 && abs(apart.join - 0.2) < 1e-12)
        #expect(abs(apart.ratio - 51) < 0.2)
        var edge = ramp
        for index in 16..<25 { edge[index] += 100 }
        #expect(abs(TilingScore(first: Self.lines(edge), second: Self.lines(ramp)).score - 101 / 255) < 1e-12)
    }

    @Test(arguments: [1, 7, 60])
    func `the edges of a picture that wraps meet, those of a ramp do not, in strips of any height`(strip: Int) throws {
        let (width, height) = (64, 60)
        // Goes round along x, rises along y.
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let (near, far) = (abs(x - width / 2), abs((x + width / 4) % width - width / 2))
                pixels += [UInt8(near * 2), UInt8(y * 4), UInt8(far * 2)]
            }
        }
        var meter = try EdgeMeter(width: width, height: height)
        for top in stride(from: 0, to: height, by: strip) {
            let rows = Array(pixels[3 * width * top..<3 * width * min(height, top + strip)])
            try meter.add(rows: rows.span)
        }
        let (x, y) = try meter.finish()
        #expect(x.ratio < 1.05 && x.score < 0.01)
        #expect(abs(y.join - Double(4 * (height - 1)) / 255 / 3) < 1e-12)
        #expect(y.ratio > 20)
    }

    @Test func `too small a picture, too many rows and too few are refused`() throws {
        #expect(throws: ImageError.self) { try EdgeMeter(width: 49, height: 100) }
        var meter = try EdgeMeter(width: 50, height: 50)
        let rows = [UInt8](repeating: 0, count: 3 * 50 * 50)
        try meter.add(rows: rows.span)
        #expect(throws: ImageError.self) { try meter.add(rows: rows.span) }
        let empty = try EdgeMeter(width: 50, height: 50)
        #expect(throws: ImageError.self) { _ = try empty.finish() }
    }
}
