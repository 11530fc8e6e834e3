/// A request that the noise schedules or samplers cannot meet.
public struct SamplingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure, for programs that react to it.
    public enum Code: Hashable, Sendable {
        /// A sampler of that name does not exist.
        case unknownSampler
        /// A number of a schedule, sampler or guidance setting is out of its range.
        case invalidSetting
        /// The model's parameterisation says nothing about the clean image at one of the schedule's levels.
        case undefinedPrediction
        /// A scheduler's configuration cannot be read or asks for what is not there.
        case invalidConfiguration
        /// A stored sampler state does not belong to this sampler and schedule.
        case invalidState
    }

    /// The kind of failure.
    public let code: Code
    /// The setting or state concerned.
    public let subject: String
    /// One sentence that names what was found and what was expected.
    public let message: String

    /// The sentence for a user.
    public var description: String { "\(subject): \(message)" }
}
