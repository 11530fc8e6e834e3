import ChoirTensor
import Foundation
import Testing

@Suite struct PhiloxTests {
    // Random123, tests/kat_vectors, "philox4x32 10".
    @Test(arguments: [
        (
            SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
            SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
        ),
        (
            SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
            SIMD4<UInt32>(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
        ),
        (
            SIMD4<UInt32>(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
            SIMD2<UInt32>(0xA409_3822, 0x299F_31D0),
            SIMD4<UInt32>(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
        ),
    ])
    func `Philox gives the published known answers`(
        counter: SIMD4<UInt32>,
        key: SIMD2<UInt32>,
        expected: SIMD4<UInt32>
    ) {
        #expect(philox4x32(counter: counter, key: key) == expected)
    }
}

@Suite struct CounterNoiseTests {
    let noise = CounterNoise(seed: 0x0123_4567_89AB_CDEF)

    @Test func `every number is the Box-Muller transform of its own Philox words`() {
        let region = Region(x: -3, y: -2, width: 61, height: 5)
        let channels = 7
        let result = noise.normal(region: region, channels: channels, draw: 9)
        let key = SIMD2<UInt32>(0x89AB_CDEF, 0x0123_4567)
        for channel in 0..<channels {
            for row in 0..<region.height {
                for column in 0..<region.width {
                    let x = UInt32(bitPattern: Int32(region.x + column))
                    let y = UInt32(bitPattern: Int32(region.y + row))
                    let words = philox4x32(counter: SIMD4(x, y, UInt32(channel / 4), 9), key: key)
                    let pair = channel % 4 / 2 * 2
                    let radius = (-2 * log((Double(words[pair]) + 0.5) / 4_294_967_296)).squareRoot()
                    let angle = 2 * Double.pi * ((Double(words[pair + 1]) + 0.5) / 4_294_967_296)
                    let expected = radius * (channel % 2 == 0 ? cos(angle) : sin(angle))
                    let found = Double(result[channel, row, column])
                    #expect(abs(found - expected) <= abs(expected) * 6.1e-8 + 1e-14)
                }
            }
        }
    }

    @Test func `a window of the noise equals the same window of the whole canvas`() {
        let whole = noise.normal(region: Region(x: 0, y: 0, width: 67, height: 41), channels: 3, draw: 2)
        for region in [
            Region(x: 0, y: 0, width: 1, height: 1), Region(x: 5, y: 7, width: 32, height: 16),
            Region(x: 66, y: 40, width: 1, height: 1), Region(x: 1, y: 3, width: 66, height: 2),
        ] {
            let window = noise.normal(region: region, channels: 3, draw: 2)
            #expect(window == whole.copy(region: region))
        }
    }

    @Test(arguments: 1...9)
    func `a channel does not depend on how many there are`(channels: Int) {
        let region = Region(x: -4, y: 11, width: 10, height: 3)
        let many = noise.normal(region: region, channels: 12, draw: 0)
        let few = noise.normal(region: region, channels: channels, draw: 0)
        #expect(few.elements == Array(many.elements.prefix(channels * 30)))
    }

    @Test func `a wrapping canvas repeats its own noise`() {
        let canvas = noise.normal(region: Region(x: 0, y: 0, width: 13, height: 9), channels: 4, draw: 1)
        let region = Region(x: -20, y: -10, width: 40, height: 30)
        let window = noise.normal(region: region, channels: 4, draw: 1, wrapWidth: 13, wrapHeight: 9)
        #expect(window == canvas.copy(region: region, border: .wrap(x: true, y: true)))
        let band = Region(x: -20, y: 0, width: 40, height: 9)
        #expect(
            noise.normal(region: band, channels: 4, draw: 1, wrapWidth: 13)
                == canvas.copy(region: band, border: .wrap(x: true, y: false))
        )
    }

    @Test func `the noise of a seed never changes`() {
        let region = Region(x: -8, y: -8, width: 64, height: 64)
        let elements = noise.normal(region: region, channels: 4, draw: 5).elements
        // FNV-1a over the bits: other bits would mean other pictures from old requests.
        let hash = elements.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 }
        #expect(hash == 17_487_679_821_865_501_027)
    }

    @Test func `empty requests give empty noise`() {
        let empty = Region(x: 0, y: 0, width: 0, height: 5)
        #expect(noise.normal(region: empty, channels: 3, draw: 0).shape == [3, 5, 0])
        let cell = Region(x: 0, y: 0, width: 1, height: 1)
        #expect(noise.normal(region: cell, channels: 0, draw: 0).elements.isEmpty)
    }

    @Test(arguments: [0, 1, 42, UInt64.max])
    func `a hundred thousand numbers are normal`(seed: UInt64) {
        let region = Region(x: -100, y: -50, width: 250, height: 100)
        let values = CounterNoise(seed: seed).normal(region: region, channels: 4, draw: 0).elements.map(Double.init)
        let count = Double(values.count)
        #expect(values.count == 100_000)
        func moment(_ power: Int) -> Double {
            values.reduce(0) { $0 + pow($1, Double(power)) } / count
        }
        // The moments of N(0, 1) are 0, 1, 0, 3; the variances of their estimates are (1, 2, 15, 96) / count.
        #expect(abs(moment(1)) < 4 * (1 / count).squareRoot())
        #expect(abs(moment(2) - 1) < 4 * (2 / count).squareRoot())
        #expect(abs(moment(3)) < 4 * (15 / count).squareRoot())
        #expect(abs(moment(4) - 3) < 4 * (96 / count).squareRoot())

        var distance = 0.0
        for (index, value) in values.sorted().enumerated() {
            let probability = 0.5 * erfc(-value / 2.0.squareRoot())
            let (below, above) = (Double(index) / count, Double(index + 1) / count)
            distance = max(distance, abs(probability - below), abs(probability - above))
        }
        // Kolmogorov's distribution: a greater distance has the probability 0.001.
        #expect(distance * count.squareRoot() < 1.95)
    }

    /// What two noises differ in.
    enum Neighbour: CaseIterable {
        case column, row, channel, channelBlock, draw, seed
    }

    @Test(arguments: Neighbour.allCases)
    func `neighbours are uncorrelated`(neighbour: Neighbour) {
        func values(_ x: Int, _ y: Int, channel: Int, draw: Int, seed: UInt64) -> [Float] {
            let region = Region(x: x, y: y, width: 400, height: 250)
            let all = CounterNoise(seed: seed).normal(region: region, channels: channel + 1, draw: draw)
            return Array(all.elements.suffix(100_000))
        }
        let first = values(0, 0, channel: 0, draw: 3, seed: 7)
        let second =
            switch neighbour {
            case .column: values(1, 0, channel: 0, draw: 3, seed: 7)
            case .row: values(0, 1, channel: 0, draw: 3, seed: 7)
            case .channel: values(0, 0, channel: 1, draw: 3, seed: 7)
            case .channelBlock: values(0, 0, channel: 4, draw: 3, seed: 7)
            case .draw: values(0, 0, channel: 0, draw: 4, seed: 7)
            case .seed: values(0, 0, channel: 0, draw: 3, seed: 8)
            }
        let correlation = zip(first, second).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / 100_000
        #expect(abs(correlation) < 4 / 100_000.0.squareRoot())
        // Box-Muller pairs share their radius: squares must not correlate either.
        let squares =
            zip(first, second).reduce(0.0) { $0 + (pow(Double($1.0), 2) - 1) * (pow(Double($1.1), 2) - 1) } / 200_000
        #expect(abs(squares) < 4 / 100_000.0.squareRoot())
    }
}
