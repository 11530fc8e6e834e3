import ChoirSampling
import ChoirTensor
import Testing

@Suite("Predictions and guidance")
struct PredictionTests {
    static let levels = [
        NoiseLevel.variancePreserving(cumulativeAlpha: 0.3, time: 500), .flow(0.7), .varianceExploding(sigma: 5),
        .variancePreserving(cumulativeAlpha: 0.9999, time: 0), .flow(0.02),
    ]

    @Test("Every parameterization gives back the clean image and the noise", arguments: Parameterization.allCases)
    func roundTrip(parameterization: Parameterization) {
        let shape: Shape = [1, 1, 2, 3]
        let clean: [Double] = [0.1, -0.7, 0.4, 1, -1, 0]
        let noise: [Double] = [-0.3, 1.2, 0.5, -2, 0.9, 0.01]
        for level in Self.levels {
            let (alpha, sigma) = (level.alpha, level.sigma)
            let norm = (alpha * alpha + sigma * sigma).squareRoot()
            let output = zip(clean, noise).map { clean, noise in
                switch parameterization {
                case .epsilon: noise
                case .velocity: (alpha * noise - sigma * clean) / norm
                case .flow: noise - clean
                case .clean: clean
                }
            }
            var state = Tensor(shape: shape, elements: clean.map(Float.init))
            level.addNoise(to: &state, noise: Tensor(shape: shape, elements: noise.map(Float.init)))
            for (found, (clean, noise)) in zip(state.elements, zip(clean, noise)) {
                #expect(isClose(Double(found), alpha * clean + sigma * noise, tolerance: 1e-6))
            }
            var prediction = Tensor(shape: shape, elements: output.map(Float.init))
            parameterization.convertToClean(&prediction, state: state, at: level)
            for (found, expected) in zip(prediction.elements, clean) {
                #expect(isClose(Double(found), expected, tolerance: 3e-6))
            }
            level.convertToNoise(&prediction, state: state)
            for (found, expected) in zip(prediction.elements, noise) {
                #expect(isClose(Double(found), expected, tolerance: 1e-6 / sigma * max(1, sigma)))
            }
        }
    }

    @Test("Noise prediction is refused for a start at pure noise")
    func pureNoise() throws {
        let flow = try Schedule.flow(steps: 4)
        let zero = try TrainingNoise(rescalesToZeroSignal: true).schedule(steps: 4)
        for schedule in [flow, zero] {
            let error = #expect(throws: SamplingError.self) { try Parameterization.epsilon.check(schedule) }
            #expect(error?.code == .undefinedPrediction)
            for parameterization in [Parameterization.velocity, .flow, .clean] {
                try parameterization.check(schedule)
            }
        }
        try Parameterization.epsilon.check(.flow(steps: 4, start: 0.99))
    }

    @Test("Guidance follows its equations")
    func guidance() throws {
        let fixture = try Fixture.load("guidance", as: Fixture.GuidedCases.self)
        let shape = Shape(fixture.shape)
        for expected in fixture.cases {
            let guidance = try Guidance(scale: expected.scale, rescale: expected.rescale)
            var prediction = Tensor(shape: shape, elements: fixture.conditional)
            guidance.guide(&prediction, unconditional: Tensor(shape: shape, elements: fixture.unconditional))
            for (found, expected) in zip(prediction.elements, expected.guided) {
                #expect(isClose(Double(found), Double(expected), tolerance: 2e-6))
            }
        }
    }

    @Test("Guidance of scale 1 leaves every bit alone and needs one evaluation")
    func unguided() throws {
        let guidance = try Guidance(scale: 1, rescale: 0.5)
        #expect(!guidance.needsUnconditional)
        var prediction = Tensor(shape: [2], elements: [0.1, 0.7])
        guidance.guide(&prediction, unconditional: Tensor(shape: [2], elements: [3, 4]))
        #expect(prediction.elements == [0.1, 0.7])
    }

    @Test("A flat prediction survives rescaled guidance")
    func flatPrediction() throws {
        var prediction = Tensor(shape: [1, 4], repeating: 2)
        try Guidance(scale: 3, rescale: 1).guide(&prediction, unconditional: Tensor(shape: [1, 4], repeating: 1))
        #expect(prediction.elements == [4, 4, 4, 4])
    }

    @Test("Guidance out of range is refused", arguments: [(-1.0, 0.0), (.nan, 0), (.infinity, 0), (2, -0.1), (2, 1.1)])
    func refusals(scale: Double, rescale: Double) {
        let error = #expect(throws: SamplingError.self) { try Guidance(scale: scale, rescale: rescale) }
        #expect(error?.code == .invalidSetting)
    }
}
