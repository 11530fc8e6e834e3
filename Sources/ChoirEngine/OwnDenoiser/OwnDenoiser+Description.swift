import Choir
import ChoirModels
import ChoirRuntime
import ChoirSampling

extension OwnDenoiser: CustomStringConvertible {
    /// What it is and takes, for people; several lines.
    public var description: String {
        let pairs: [(String, String)] =
            [
                ("graph", manifest.graphPath), ("noisy tile", describe(manifest.sample)),
                ("noise level", "\(describe(manifest.level)), \(noise)"),
            ]
            + graph.conditions.map { ("condition", "\(describe($0.declared.name)), \(Self.source(of: $0))") }
            + [
                (
                    "predicts",
                    "\(graph.output) \(graph.file.outputs.first { $0.name == graph.output }?.shapeDescription ?? ""), "
                        + "\(manifest.prediction.rawValue)"
                ),
                ("picture", picture), ("tile", tile),
                (
                    "sampler",
                    "\(manifest.sampler.rawValue), \(manifest.steps) steps"
                        + (manifest.canGuide ? ", guidance \(manifest.guidance)" : "")
                ),
            ]
        let lines = pairs.map { "  " + $0.0.padding(to: 16) + $0.1 }
        return ([manifest.path + ": \(traits.name), a denoiser of your own"] + lines).joined(separator: "\n")
    }

    private func describe(_ input: String) -> String {
        guard let port = graph.file.inputs.first(where: { $0.name == input }) else { return input }
        return "\(input) \(port.shapeDescription)\(port.elementType == .integers ? " of integers" : "")"
    }

    private var noise: String {
        switch manifest.noise {
        case .sigma(let minimum, let maximum, let rho): "sigma from \(maximum) to \(minimum), rho \(rho)"
        case .timestep(let training, _): "training step, \(training.cumulativeAlphas.count) of them"
        case .flow(let timeScale, _): "flow time multiplied by \(timeScale)"
        }
    }

    private var picture: String {
        let kind = manifest.channels == 1 ? "grey in 16 bits" : "RGB in 8 bits"
        return "\(kind), black at \(manifest.range.lowerBound) and white at \(manifest.range.upperBound)"
    }

    private var tile: String {
        let sizes = graph.fixesTile ? "the only size" : "or other multiples of \(manifest.alignment)"
        return "\(manifest.tile)x\(manifest.tile), \(sizes), overlap \(manifest.overlap)"
    }

    private static func source(of condition: DenoiserGraph.Condition) -> String {
        let guided = condition.declared.unconditional == nil ? "" : ", guided"
        switch condition.declared.source {
        case .constant: return "constant" + guided
        case .request(let absent): return "by --condition\(absent == nil ? ", which must name it" : "")" + guided
        }
    }
}

extension String {
    fileprivate func padding(to length: Int) -> String {
        self + String(repeating: " ", count: max(1, length - count))
    }
}
