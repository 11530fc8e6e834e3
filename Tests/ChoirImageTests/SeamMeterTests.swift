import ChoirImage
import Testing

struct SeamMeterTests {
    private static let side = 384
    private static let borders = [96, 192, 288]

    private static func measure(_ pixels: [UInt8], strip: Int = 32) throws -> SeamReport {
        var meter = try SeamMeter(
            width: side,
            height: side,
            verticalBorders: borders,
            horizontalBorders: borders
        )
        for start in stride(from: 0, to: pixels.count, by: 3 * side * strip) {
            let rows = Array(pixels[start..<min(start + 3 * side * strip, pixels.count)])
            try meter.add(rows: rows.span)
        }
        return try meter.finish()
    }

    @Test func `Noise has no seams`() throws {
        let report = try Self.measure(TestImages.noise(3 * Self.side * Self.side))
        // A line is a mean of 384 differences whose deviation is about 0.7 of their mean: 0.036.
        #expect(abs(report.borders.mean - 1) < 0.05)
        #expect(report.borders.worst.ratio < 1.15)
        #expect(report.borders.count == 6)
        #expect(report.vertical?.count == 3)
        #expect(report.horizontal?.count == 3)
        // Four parts of 96 lines a side, less 24 neighbours and the border at each end.
        #expect(report.controls?.count == 2 * 4 * 47)
    }

    @Test(arguments: [SeamReport.Axis.vertical, .horizontal])
    func `A step of three grey levels is found where it is`(axis: SeamReport.Axis) throws {
        var pixels = TestImages.noise(3 * Self.side * Self.side, amplitude: 2)
        for y in 0..<Self.side {
            for x in 0..<Self.side where (axis == .vertical ? x : y) >= 192 {
                for channel in 0..<3 { pixels[3 * (y * Self.side + x) + channel] += 3 }
            }
        }
        let report = try Self.measure(pixels)
        #expect(report.borders.worst.axis == axis)
        #expect(report.borders.worst.position == 192)
        #expect(report.borders.worst.ratio > 3)
        #expect(try #require(report.controls).worst.ratio < 1.2)
        let other = axis == .vertical ? report.horizontal : report.vertical
        #expect(try #require(other).worst.ratio < 1.2)
    }

    @Test func `A step beside a border is a neighbour and not a seam`() throws {
        var pixels = TestImages.noise(3 * Self.side * Self.side, amplitude: 2)
        for y in 0..<Self.side {
            for x in 193..<Self.side {
                for channel in 0..<3 { pixels[3 * (y * Self.side + x) + channel] += 3 }
            }
        }
        #expect(try Self.measure(pixels).borders.worst.ratio < 1.2)
    }

    @Test func `Bright stars make borders no worse than control lines by much`() throws {
        var pixels = TestImages.noise(3 * Self.side * Self.side, amplitude: 4)
        var generator = TestGenerator(state: 21)
        for _ in 0..<3000 {
            let x = Int.random(in: 0..<Self.side, using: &generator)
            let y = Int.random(in: 0..<Self.side, using: &generator)
            for channel in 0..<3 { pixels[3 * (y * Self.side + x) + channel] = 255 }
        }
        let report = try Self.measure(pixels)
        let controls = try #require(report.controls)
        #expect(report.borders.worst.ratio <= 1.25 * (try #require(report.controlWorst)))
        #expect(try #require(report.controlWorst) < controls.worst.ratio)
        #expect(abs(report.borders.mean - controls.mean) < 0.15)
    }

    @Test func `Ratios are exact on a hand-made picture`() throws {
        // 102 columns of red only; steps of 10 at every line but 30 at the border, 50, and 20 at 77.
        var row: [UInt8] = []
        for x in 0..<102 { row += [UInt8((x % 2) * 10 + (x >= 50 ? 40 : 0) + (x >= 77 ? 10 : 0)), 0, 0] }
        var meter = try SeamMeter(width: 102, height: 2, verticalBorders: [50], horizontalBorders: [])
        try meter.add(rows: (row + row).span)
        let report = try meter.finish()
        // The step at 50 is from 10 to 40; 13933/65536 is the weight of red.
        let unit = 13_933.0 / 65_536
        let expected = (30 * unit + 0.001) / (10 * unit + 0.001)
        #expect(abs(report.borders.worst.ratio - expected) < 1e-12)
        #expect(report.horizontal == nil)
        // Lines 25 and 75 to 77 have 24 neighbours on either side that are no border; those of 77 are 10.
        let controls = try #require(report.controls)
        #expect(controls.count == 4)
        #expect(controls.worst.position == 77)
        #expect(abs(controls.worst.ratio - (20 * unit + 0.001) / (10 * unit + 0.001)) < 1e-12)
        // One border, so the median of one choice of four: between the second and the third.
        #expect(report.controlRatios.count == 4 && report.controlRatios.last == controls.worst.ratio)
        #expect(report.controlWorst == (report.controlRatios[1] + report.controlRatios[2]) / 2)
    }

    @Test func `Percentiles are interpolated`() throws {
        // Ten borders; the one at 10 is a step over flat ground, all others flat.
        var row: [UInt8] = []
        for x in 0..<60 { row += [UInt8(x >= 10 ? 100 : 0), 0, 0] }
        let borders = [10, 15, 20, 25, 30, 35, 40, 45, 50, 55]
        var meter = try SeamMeter(width: 60, height: 1, verticalBorders: borders, horizontalBorders: [])
        try meter.add(rows: row.span)
        let summary = try meter.finish().borders
        let step = 100 * 13_933.0 / 65_536 / 0.001 + 1
        #expect(abs(summary.worst.ratio - step) < 1e-6)
        #expect(abs(summary.mean - (step + 9) / 10) < 1e-6)
        #expect(abs(summary.p95 - (1 + 0.55 * (step - 1))) < 1e-6)
    }

    @Test func `A flat picture has ratio one everywhere`() throws {
        let report = try Self.measure([UInt8](repeating: 7, count: 3 * Self.side * Self.side))
        #expect(report.borders.mean == 1)
        #expect(report.controls?.worst.ratio == 1)
    }

    @Test func `Strip heights do not matter`() throws {
        let pixels = TestImages.noise(3 * Self.side * Self.side)
        let report = try Self.measure(pixels, strip: 1)
        #expect(try Self.measure(pixels, strip: 100) == report)
    }

    @Test func `A picture without a border inside is refused`() {
        let error = #expect(throws: ImageError.self) {
            try SeamMeter(width: 384, height: 384, verticalBorders: [], horizontalBorders: [])
        }
        #expect(error?.code == .invalidBorder)
    }

    @Test func `Borders outside, missing rows and too many rows are refused`() throws {
        for border in [0, -1, 8, 9] {
            #expect(throws: ImageError.self) {
                try SeamMeter(width: 8, height: 8, verticalBorders: [border], horizontalBorders: [])
            }
        }
        var meter = try SeamMeter(width: 8, height: 2, verticalBorders: [4], horizontalBorders: [])
        let row = [UInt8](repeating: 0, count: 24)
        try meter.add(rows: row.span)
        #expect(throws: ImageError.self) { try meter.finish() }
        let two = row + row
        #expect(throws: ImageError.self) { try meter.add(rows: two.span) }
        let part = [UInt8](repeating: 0, count: 23)
        #expect(throws: ImageError.self) { try meter.add(rows: part.span) }
    }
}
