/// Two independent normal numbers from two uniform words: `sqrt(-2 ln u) · (cos 2πv, sin 2πv)`.
///
/// Box and Muller, "A Note on the Generation of Random Normal Deviates" (1958), with `u` and `v` in the middle of the
/// 2³² equal parts of the unit interval, so that the logarithm of zero cannot occur. The largest magnitude is 6.76.
///
/// The logarithm and the circular functions are polynomials with relative errors below 1e-11, much finer than the
/// `Float` results. They have neither branches nor library calls: loops over them vectorise, and no C library's
/// rounding gets into a picture.
@inline(__always)
func boxMuller(_ first: UInt32, _ second: UInt32) -> (cosine: Float, sine: Float) {
    let radius = (-2 * logarithm(ofMidpoint: first)).squareRoot()
    let direction = circle(atMidpoint: second)
    return (Float(radius * direction.cosine), Float(radius * direction.sine))
}

/// The natural logarithm of `(word + 0.5) / 2³²`.
@inline(__always)
private func logarithm(ofMidpoint word: UInt32) -> Double {
    let uniform = (Double(word) + 0.5) * 0x1p-32
    // uniform = 2^exponent · mantissa with the mantissa in [√½, √2): the bits of √½ are subtracted so that the
    // exponent field changes there.
    let bits = uniform.bitPattern
    let exponentBits = (bits &- 0x3FE6_A09E_667F_3BCD) & 0xFFF0_0000_0000_0000
    let exponent = Int32(truncatingIfNeeded: exponentBits >> 32) >> 20
    let mantissa = Double(bitPattern: bits &- exponentBits)
    // ln m = 2 artanh((m - 1) / (m + 1)), with |ratio| ≤ 0.1716.
    let ratio = (mantissa - 1) / (mantissa + 1)
    let square = ratio * ratio
    var series = 2.0 / 13
    series = series * square + 2.0 / 11
    series = series * square + 2.0 / 9
    series = series * square + 2.0 / 7
    series = series * square + 2.0 / 5
    series = series * square + 2.0 / 3
    series = series * square + 2.0
    return Double(exponent) * 0.693147180559945309 + ratio * series
}

/// Cosine and sine of `2π (word + 0.5) / 2³²`.
@inline(__always)
private func circle(atMidpoint word: UInt32) -> (cosine: Double, sine: Double) {
    // The nearest quarter turn, and what remains in [-π/4, π/4].
    let quarter = (word &+ 0x2000_0000) >> 30
    let rest = Int32(bitPattern: word &- (quarter << 30))
    let angle = (Double(rest) + 0.5) * (2 * Double.pi * 0x1p-32)
    let square = angle * angle
    var sine = -1.0 / 39_916_800
    sine = sine * square + 1.0 / 362_880
    sine = sine * square - 1.0 / 5040
    sine = sine * square + 1.0 / 120
    sine = sine * square - 1.0 / 6
    sine = (sine * square) * angle + angle
    var cosine = 1.0 / 479_001_600
    cosine = cosine * square - 1.0 / 3_628_800
    cosine = cosine * square + 1.0 / 40_320
    cosine = cosine * square - 1.0 / 720
    cosine = cosine * square + 1.0 / 24
    cosine = cosine * square - 0.5
    cosine = cosine * square + 1
    // A turn by one quarter maps (c, s) to (-s, c).
    let swapped = quarter & 1 == 1
    let x = swapped ? sine : cosine
    let y = swapped ? cosine : sine
    return (quarter == 1 || quarter == 2 ? -x : x, quarter >= 2 ? -y : y)
}
