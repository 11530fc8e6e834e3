/// The learned forms of objects that a Cosmos model has, as `config.json` states them.
public struct CosmosForms: Hashable, Sendable, Codable {
    /// Objects of one kind.
    public struct Kind: Hashable, Sendable, Codable {
        /// What it is called.
        public var name: String
        /// The least side of an object's square on a canvas of the coarsest scale, in pixels.
        public var least: Double
        /// The greatest.
        public var greatest: Double
        /// The share of a canvas that they cover.
        public var filled: Double
    }

    /// Pixels along a form.
    public var side: Int

    /// The flow time from which on the network paints alone.
    public var until: Double

    /// The kinds, in the order of the file's tensors.
    public var kinds: [Kind]

    /// Refuses what is out of range.
    ///
    /// - Parameter path: The configuration's file.
    func check(_ path: String) throws(ModelError) {
        guard (1...256).contains(kinds.count) else {
            throw ModelError(path, "forms.kinds: found \(kinds.count), expected 1 to 256")
        }
        var ranges: [(String, Double, ClosedRange<Double>)] = [
            ("side", Double(side), 2...256), ("until", until, 0...1),
        ]
        for (index, kind) in kinds.enumerated() {
            ranges += [
                ("kinds.\(index).least", kind.least, 1...4096), ("kinds.\(index).filled", kind.filled, 0...1),
                ("kinds.\(index).greatest", kind.greatest, max(1, kind.least)...4096),
            ]
        }
        for (field, found, range) in ranges where !range.contains(found) {
            throw ModelError(
                path, "forms.\(field): found \(found), expected \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
