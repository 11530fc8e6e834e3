public import ChoirTensor
import Foundation

// Times, sizes and the guidance scale enter the network as sines and cosines. They are made here and not in the graph:
// a time of 999 is no number of bf16, its sines and cosines are near enough.
extension UNetConfiguration {
    /// What the input `time` takes: sines and cosines of a training step.
    ///
    /// - Parameter step: The training step, from 0 to 999; need not be whole.
    /// - Returns: `[1, channels[0]]`, each from -1 to 1; the numbers of diffusers' `Timesteps`, in f32 as there.
    public func timeFeatures(step: Double) -> Tensor {
        Tensor(shape: [1, channels[0]], elements: sinusoids(step, width: channels[0]))
    }

    /// What the input `guidance` takes, in a model that was distilled with guidance; nil in others.
    ///
    /// - Parameter scale: The guidance scale; 1 means the prompt alone.
    /// - Returns: `[1, guidanceWidth]` (Luo et al., arXiv:2310.04378, section 4.2; diffusers tells the scale less 1).
    public func guidanceFeatures(scale: Double) -> Tensor? {
        guard let guidanceWidth else { return nil }
        // The product is large, so frequencies must be rounded in f32 where diffusers rounds them.
        let decay = Float(log(10_000.0) / Double(guidanceWidth / 2 - 1))
        let angles = (0..<(guidanceWidth / 2)).map { Float(scale - 1) * 1000 * exp(Float($0) * -decay) }
        return Tensor(shape: [1, guidanceWidth], elements: angles.map { sin($0) } + angles.map { cos($0) })
    }

    /// How many sizes the model is told: 6 for SDXL base, 5 for the refiner; nil for models without.
    ///
    /// - Parameter pooledWidth: Numbers in the pooled text embedding.
    public func timeIDCount(pooledWidth: Int) -> Int? {
        guard let addition, pooledWidth <= addition.inputWidth,
            (addition.inputWidth - pooledWidth).isMultiple(of: addition.timeIDWidth)
        else { return nil }
        return (addition.inputWidth - pooledWidth) / addition.timeIDWidth
    }

    /// What the input `addition` takes, in SDXL (Podell et al., arXiv:2307.01952, section 2.2).
    ///
    /// - Parameters:
    ///   - pooledText: The pooled text embedding.
    ///   - timeIDs: Original height and width, top and left of the crop, then target height and width for the base or
    ///     the aesthetic score for the refiner, in pixels of the picture.
    /// - Returns: `[1, inputWidth]`; nil for models without, or when the counts are not those of the model.
    public func additionFeatures(pooledText: [Float], timeIDs: [Double]) -> Tensor? {
        guard let addition, timeIDCount(pooledWidth: pooledText.count) == timeIDs.count else { return nil }
        let sizes = timeIDs.flatMap { sinusoids($0, width: addition.timeIDWidth) }
        return Tensor(shape: [1, addition.inputWidth], elements: pooledText + sizes)
    }

    /// Sines and cosines of a number at frequencies from 1 to 1/10000 (Vaswani et al., arXiv:1706.03762, section 3.5).
    private func sinusoids(_ number: Double, width: Int) -> [Float] {
        let count = width / 2
        let angles = (0..<count).map { index in
            Float(number) * exp(Float(-log(10_000.0)) * Float(index) / Float(max(count - frequencyShift, 1)))
        }
        let (sines, cosines) = (angles.map { sin($0) }, angles.map { cos($0) })
        return cosinesFirst ? cosines + sines : sines + cosines
    }
}
