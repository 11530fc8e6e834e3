import Choir
import ChoirSampling

/// A step rule by its name, and which noise levels it visits if the name says so, as A1111's web interface long named
/// them: `DPM++ 2M Karras`.
struct SamplerArgument {
    let kind: SamplerKind
    let spacing: StepSpacing?

    init(name: String) throws {
        let suffix = "karras"
        let saysKarras = name.lowercased().hasSuffix(suffix) && name.count > suffix.count
        kind = try SamplerKind(name: saysKarras ? String(name.dropLast(suffix.count)) : name)
        spacing = saysKarras ? .karras : nil
    }

    /// The spacing together with what another option says of it.
    func spacing(with other: StepSpacing?) throws -> StepSpacing? {
        if let spacing, let other, spacing != other {
            throw RequestError(
                "spacing", found: other.rawValue, expected: "\(spacing.rawValue), as the sampler's name says")
        }
        return spacing ?? other
    }
}
