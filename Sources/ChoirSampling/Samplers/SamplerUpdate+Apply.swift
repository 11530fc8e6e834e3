/// How many elements are worked on at once: few enough that all fields of a chunk stay in the innermost cache while
/// the terms of a combination are added one after another.
private let chunkLength = 2048

extension SamplerUpdate {
    /// Advances a run of elements in place; the same for any division of a canvas into runs, bit for bit.
    ///
    /// Terms are added in the order state, prediction, memory, noise, in `Float`, with no fused or reordered sums. So
    /// a caller may cut a canvas into bands and update them on as many threads as it likes.
    ///
    /// - Parameters:
    ///   - state: the noisy elements, replaced by those of the next evaluation.
    ///   - memory: the remembered elements, replaced if the update remembers anything; empty if it neither reads nor
    ///     writes memory.
    ///   - prediction: the predicted clean elements.
    ///   - noise: unit noise; empty if the update takes none.
    /// - Precondition: every span that takes part is as long as `state`.
    public func apply(
        state: inout MutableSpan<Float>,
        memory: inout MutableSpan<Float>,
        prediction: Span<Float>,
        noise: Span<Float>
    ) {
        let count = state.count
        precondition(prediction.count == count, "the prediction has \(prediction.count) elements, the state \(count)")
        precondition(
            !(readsMemory || remembers) || memory.count == count,
            "this update needs memory of \(count) elements"
        )
        precondition(!takesNoise || noise.count == count, "this update needs noise of \(count) elements")
        state.withUnsafeMutableBufferPointer { state in
            memory.withUnsafeMutableBufferPointer { memory in
                prediction.withUnsafeBufferPointer { prediction in
                    noise.withUnsafeBufferPointer { noise in
                        apply(state: state, memory: memory, prediction: prediction, noise: noise)
                    }
                }
            }
        }
    }

    private func apply(
        state: UnsafeMutableBufferPointer<Float>,
        memory: UnsafeMutableBufferPointer<Float>,
        prediction: UnsafeBufferPointer<Float>,
        noise: UnsafeBufferPointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: chunkLength) { scratch in
            var start = 0
            while start < state.count {
                let chunk = start..<min(start + chunkLength, state.count)
                let next = UnsafeMutableBufferPointer(rebasing: state[chunk])
                let fields = Fields(
                    state: UnsafeBufferPointer(next),
                    prediction: UnsafeBufferPointer(rebasing: prediction[chunk]),
                    memory: readsMemory ? UnsafeBufferPointer(rebasing: memory[chunk]) : nil,
                    noise: takesNoise ? UnsafeBufferPointer(rebasing: noise[chunk]) : nil
                )
                if let newMemory {
                    // Both results read the old state and memory, so the new memory waits until the state is done.
                    let remembered = UnsafeMutableBufferPointer(rebasing: scratch[..<chunk.count])
                    newMemory.write(fields, to: remembered)
                    newState.write(fields, to: next)
                    _ = UnsafeMutableBufferPointer(rebasing: memory[chunk]).update(from: remembered)
                } else {
                    newState.write(fields, to: next)
                }
                start = chunk.upperBound
            }
        }
    }
}

/// The chunks that a combination adds up; all of one length.
private struct Fields {
    let state: UnsafeBufferPointer<Float>
    let prediction: UnsafeBufferPointer<Float>
    let memory: UnsafeBufferPointer<Float>?
    let noise: UnsafeBufferPointer<Float>?
}

extension LinearCombination {
    /// Writes the combination of `fields` to `target`, which may be the state itself.
    fileprivate func write(_ fields: Fields, to target: UnsafeMutableBufferPointer<Float>) {
        let (a, b) = (Float(state), Float(prediction))
        for index in target.indices {
            target[index] = a * fields.state[index] + b * fields.prediction[index]
        }
        for (coefficient, field) in [(memory, fields.memory), (noise, fields.noise)] {
            guard let field, coefficient != 0 else { continue }
            let c = Float(coefficient)
            for index in target.indices {
                target[index] += c * field[index]
            }
        }
    }
}
