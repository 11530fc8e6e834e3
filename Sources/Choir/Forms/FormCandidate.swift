import ChoirTensor

/// An object that a canvas may show: where, how large and how turned, drawn from the canvas's noise.
struct FormCandidate: Equatable {
    /// Its middle, in cells.
    let x: Double
    let y: Double

    /// Numbers, 0 ..< 1, of which all that follows is made.
    private let numbers: [Double]

    /// The longer axis, a vector of length 1.
    let direction: SIMD2<Double>

    /// Cells along a square that may have an object.
    private static let square = 2

    /// One in each square of a plane, row by row.
    static func all(of request: PaintRequest, on plane: FormPlane) -> [FormCandidate] {
        let noise = CanvasNoise(request, pictureWidth: plane.width, pictureHeight: plane.height)
        return stride(from: 0, to: plane.height, by: square).flatMap { y in
            stride(from: 0, to: plane.width, by: square).map { x in
                let middle = Region(x: x + square / 2, y: y + square / 2, width: 1, height: 1)
                return FormCandidate(
                    x: x, y: y, drawnBy: noise.normal(region: middle, channels: 3, draw: NoiseDraw.forms).elements)
            }
        }
    }

    /// - Parameters:
    ///   - x: The square's first column.
    ///   - y: Its first row.
    ///   - values: Three normal numbers: who gives a part of the canvas another seed has other objects there.
    private init(x: Int, y: Int, drawnBy values: [Float]) {
        // As many numbers as it takes, from the bits of those three; the key is any that nothing else has.
        let bits = values.map(\.bitPattern)
        numbers = [0, 1, 2].flatMap { (block: UInt32) in
            let words = philox4x32(
                counter: SIMD4(bits[0], bits[1], bits[2], block), key: SIMD2(0x464f_524d, 0x5331_3937))
            return [words.x, words.y, words.z, words.w].map { (Double($0) + 0.5) / 4_294_967_296 }
        }
        self.x = Double(x) + numbers[0] * Double(Self.square)
        self.y = Double(y) + numbers[1] * Double(Self.square)
        // The direction of two normal numbers is as likely as any other.
        let (a, b) = (Double(values[0]), Double(values[1]))
        let length = max((a * a + b * b).squareRoot(), 1e-6)
        direction = SIMD2(a / length, b / length)
    }

    /// The side of its square in cells: many small ones and few large ones, which together cover as much.
    func size(_ kind: LearnedForms.Kind) -> Double {
        let ratio = kind.sizes.lowerBound / kind.sizes.upperBound
        return kind.sizes.lowerBound / (1 - numbers[2] * (1 - ratio * ratio)).squareRoot()
    }

    /// Its kind, of kinds that are so likely.
    func kind(of shares: [Double]) -> Int {
        var left = numbers[3]
        for (kind, share) in shares.enumerated() {
            left -= share
            if left < 0 { return kind }
        }
        return shares.indices.max { shares[$0] < shares[$1] } ?? 0
    }

    /// Which two of its kind's codes it is a mixture of.
    var pair: (Double, Double) { (numbers[4], numbers[5]) }

    /// How much of the second.
    var share: Float { Float(0.15 * numbers[6]) }

    /// Whether it is seen in a mirror.
    var isMirrored: Bool { numbers[7] < 0.5 }

    /// How much narrower than its picture it is across its longer axis: seen from more aside.
    var narrowing: Double { 0.8 + 0.2 * numbers[8] }

    /// What its light is multiplied by.
    var brightness: Float { Float(0.85 + 0.25 * numbers[9]) }
}
