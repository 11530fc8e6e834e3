import ChoirSampling
import ChoirTensor
import Foundation
import Testing

/// The numbers that `Scripts/fixtures/sampling.py` recorded from diffusers.
enum Fixture {
    struct Schedules: Decodable {
        struct Training: Decodable {
            let growth: String
            let rescales: Bool
            let steps: [Int]
            let cumulativeAlphas: [Double]
        }
        struct Spacing: Decodable {
            let spacing: String
            let steps: Int
            let offset: Int
            let times: [Double]
            let sigmas: [Double]
        }
        struct Karras: Decodable {
            let steps: Int
            let times: [Double]
            let sigmas: [Double]
        }
        struct Flow: Decodable {
            let steps: Int
            let shift: Double
            let start: Double
            let times: [Double]
            let sigmas: [Double]
        }
        let training: [Training]
        let spacings: [Spacing]
        let karras: [Karras]
        let flow: [Flow]
    }

    struct Trajectory: Decodable, Sendable, CustomTestStringConvertible {
        struct Levels: Decodable, Sendable {
            let type: String
            let spacing: String?
            let steps: Int?
            let offset: Int?
            let rescales: Bool?
            let shift: Double?
            let start: Double?
            let levels: [Double]?
        }
        let sampler: SamplerKind
        let parameterization: Parameterization
        let schedule: Levels
        let eta: Double
        /// How diffusers scales its state: `varianceExploding` states are ours divided by alpha.
        let stateForm: String
        let initial: [Float]
        let noises: [[Float]]
        /// What the model was told, one for each evaluation.
        let times: [Float]
        /// The state after each evaluation.
        let states: [[Float]]

        var testDescription: String {
            "\(sampler) \(parameterization) \(schedule.type) \(schedule.spacing ?? "") \(states.count) evaluations"
        }
    }

    struct GuidedCases: Decodable {
        struct Case: Decodable {
            let scale: Double
            let rescale: Double
            let guided: [Float]
        }
        let shape: [Int]
        let conditional: [Float]
        let unconditional: [Float]
        let cases: [Case]
    }

    static func load<Content: Decodable>(_ name: String, as type: Content.Type = Content.self) throws -> Content {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
        return try JSONDecoder().decode(Content.self, from: Data(contentsOf: url))
    }
}

/// Whether two numbers differ by at most `tolerance` of the larger magnitude, or of 1 for smaller ones.
func isClose(_ found: Double, _ expected: Double, tolerance: Double) -> Bool {
    abs(found - expected) <= tolerance * max(1, abs(expected))
}
