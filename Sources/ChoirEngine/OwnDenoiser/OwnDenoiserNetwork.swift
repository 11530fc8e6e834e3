import Choir
import ChoirModels
import ChoirSampling
import ChoirTensor

/// A denoiser of one's own as it is used in one painting: what its inputs are told.
struct OwnDenoiserNetwork: Sendable {
    let manifest: DenoiserManifest
    let graph: DenoiserGraph

    /// What each condition is told, and what in the prediction that guidance leads away from.
    let conditions: [(name: String, told: Tensor, unconditional: Tensor)]

    /// - Parameter told: What the request says.
    init(_ manifest: DenoiserManifest, _ graph: DenoiserGraph, told: [String: [Double]]) {
        self.manifest = manifest
        self.graph = graph
        conditions = graph.conditions.map { condition in
            let numbers =
                switch condition.declared.source {
                case .constant(let numbers): numbers
                case .request(let absent): told[condition.declared.name] ?? absent ?? []
                }
            let tensor = { (numbers: [Double]) in
                precondition(numbers.count == condition.shape.elementCount, "a plan checks what a request says")
                return Tensor(shape: condition.shape, elements: numbers.map { Float($0) })
            }
            return (condition.declared.name, tensor(numbers), tensor(condition.declared.unconditional ?? numbers))
        }
    }

    /// The number that tells a noise level.
    func level(_ level: NoiseLevel) -> Tensor {
        // Between training steps lies nothing that an integer could tell.
        let time = graph.levelIsWhole ? level.time.rounded() : level.time
        return Tensor(shape: graph.levelShape, elements: [Float(time)])
    }
}
