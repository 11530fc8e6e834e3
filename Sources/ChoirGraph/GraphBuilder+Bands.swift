extension GraphBuilder {
    /// Computes a picture in bands of rows, one after another, so that what lies between input and result needs memory
    /// for one band only.
    ///
    /// - Parameters:
    ///   - rows: Of the picture.
    ///   - alignment: Every band but the last has a multiple of so many rows.
    ///   - numbersPerRow: How many numbers a row has, of the input or the result, whichever has more.
    ///   - largest: The most numbers that a band has; a band has at least `alignment` rows.
    ///   - axis: Where the results have their rows.
    ///   - compute: Gets the rows of a band, and returns these.
    package func inBands(
        rows: Int, alignment: Int = 1, numbersPerRow: Int, largest: Int, axis: Int,
        _ compute: (Range<Int>) throws(GraphError) -> Value
    ) throws(GraphError) -> Value {
        let count = (rows * numbersPerRow + largest - 1) / largest
        let height = ((rows + count - 1) / count + alignment - 1) / alignment * alignment
        var bands: [Value] = []
        for first in stride(from: 0, to: rows, by: height) {
            bands.append(try compute(first..<min(first + height, rows)))
        }
        return bands.count == 1 ? bands[0] : try concat(bands, axis: axis)
    }

    /// The most numbers of a band where nobody asks for fewer.
    package static var largestBand: Int { 1 << 24 }
}
