/// Philox 4x32 with 10 rounds, a counter-based random function: 128 random bits for each pair of counter and key.
///
/// Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 4.3 and table 2. One
/// round maps counter words `(a, b, c, d)` under key words `(k, l)` to
/// `(high(M1·c) ^ b ^ k, low(M1·c), high(M0·a) ^ d ^ l, low(M0·a))`; between rounds the key words grow by the Weyl
/// constants.
///
/// - Parameters:
///   - counter: The counter words.
///   - key: The key words.
/// - Returns: Four uniformly distributed words.
@inline(__always)
package func philox4x32(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (a, b, c, d) = (counter.x, counter.y, counter.z, counter.w)
    var (k, l) = (key.x, key.y)
    for _ in 0..<10 {
        let first = UInt64(a) &* 0xD251_1F53
        let second = UInt64(c) &* 0xCD9E_8D57
        a = UInt32(truncatingIfNeeded: second >> 32) ^ b ^ k
        b = UInt32(truncatingIfNeeded: second)
        c = UInt32(truncatingIfNeeded: first >> 32) ^ d ^ l
        d = UInt32(truncatingIfNeeded: first)
        k &+= 0x9E37_79B9
        l &+= 0xBB67_AE85
    }
    return SIMD4(a, b, c, d)
}
