/// Which noise levels the steps visit, for a model that knows the levels it was trained at: where the "schedule type" of
/// A1111's web interface, the "scheduler" of ComfyUI, and `timestep_spacing` and `use_karras_sigmas` of diffusers differ.
public enum StepSpacing: String, Hashable, Sendable, CaseIterable, Codable {
    /// See ``TimestepSpacing/leading``.
    case leading
    /// See ``TimestepSpacing/trailing``. What Turbo and Lightning were distilled for.
    case trailing
    /// See ``TimestepSpacing/linspace``.
    case linspace
    /// The deviations of Karras et al. 2022, equation 5, in place of training steps. Euler, Heun and DPM++ 2M know them.
    case karras

    /// The name that image metadata state.
    public var displayName: String {
        switch self {
        case .leading: "Leading"
        case .trailing: "Trailing"
        case .linspace: "Linspace"
        case .karras: "Karras"
        }
    }

    /// Finds the spacing that a user means, by our name or one of other tools; case, blanks, hyphens and underscores do
    /// not matter.
    ///
    /// - Throws: `SamplingError` that lists the names, for an unknown one.
    public init(name: String) throws(SamplingError) {
        let folded = name.lowercased().filter { !" -_".contains($0) }
        guard let spacing = Self(rawValue: folded == "sgmuniform" ? "trailing" : folded) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw SamplingError(
                code: .invalidSetting, subject: "spacing", message: "found \"\(name)\", expected one of \(known)")
        }
        self = spacing
    }

    /// Those that choose among the steps that a model was trained at.
    package static let ofTrainingSteps: [StepSpacing] = [.leading, .trailing, .linspace]

    /// Which of the training steps; nil for Karras' deviations.
    package var timesteps: TimestepSpacing? { TimestepSpacing(rawValue: rawValue) }

    /// Refuses what a sampler does not know.
    func check(_ kind: SamplerKind) throws(SamplingError) {
        let known: [StepSpacing]
        switch kind {
        case .euler, .heun, .dpmpp2m: known = Self.allCases
        case .ddim, .eulerAncestral: known = Self.ofTrainingSteps
        case .lcm, .consistency: known = []
        }
        guard !known.contains(self) else { return }
        throw refusal(expected: known, for: "the sampler \(kind.rawValue)")
    }

    /// What is said when it cannot be had.
    package func refusal(expected: [StepSpacing], for what: String) -> SamplingError {
        let names = expected.isEmpty ? "none" : expected.map(\.rawValue).joined(separator: ", ")
        return SamplingError(
            code: .invalidSetting, subject: "spacing", message: "found \(rawValue), expected \(names) for \(what)")
    }
}
