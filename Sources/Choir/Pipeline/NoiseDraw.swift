/// Which of the independent fields of noise of a seed is used for what: no two uses share one.
enum NoiseDraw {
    /// Where the elements of a prompt lie; above every step's, whose rungs are below 2¹⁵.
    static let places = UInt32.max

    /// Which objects a sketch has, and where; above what any stage starts from.
    static let forms = (1 << 31) - 1

    /// What a stage starts from.
    ///
    /// - Parameter rung: Counted from the full size; below 2³¹ - 1.
    static func start(rung: Int) -> Int { rung }

    /// What the sampler adds in a step.
    ///
    /// - Parameters:
    ///   - evaluation: The sampler's evaluation, below 2¹⁶: a schedule has at most 10,000 steps of two evaluations.
    ///   - rung: Counted from the full size, below 2¹⁵.
    static func step(evaluation: Int, rung: Int) -> Int { 1 << 31 | rung << 16 | evaluation }
}
