public import ChoirSampling

extension ModelTraits {
    /// One of the resolutions that a model paints at, and how it paints there best.
    public struct Scale: Hashable, Sendable {
        /// Cells of the full size that are one of this scale, a side; 1 for the full size.
        public var reduction: Int

        /// Where on the way from noise, 0 < start <= 1, a coarser picture is refined from, as `NoiseSchedule.schedule`
        /// means it; 1 repaints from pure noise.
        public var start: Double

        /// How a coarser picture is refined.
        public var refining: Settings

        /// How a canvas is painted from noise alone.
        public var composing: Settings

        /// A scale with its best settings; one that composes as it refines, unless said otherwise.
        public init(reduction: Int = 1, start: Double, refining: Settings, composing: Settings? = nil) {
            self.reduction = reduction
            self.start = start
            self.refining = refining
            self.composing = composing ?? refining
        }

        func settings(refining refines: Bool) -> Settings { refines ? refining : composing }
    }

    /// How a canvas is painted where the request does not say.
    public struct Settings: Hashable, Sendable {
        /// Steps.
        public var steps: Int

        /// Guidance scale.
        public var guidance: Double

        /// Resolution shift of the flow schedule (Esser et al. 2024, equation 23); 1 is none.
        public var shift: Double

        /// The step rule.
        public var sampler: SamplerKind

        /// A way to paint.
        public init(steps: Int, guidance: Double, shift: Double = 1, sampler: SamplerKind) {
            self.steps = steps
            self.guidance = guidance
            self.shift = shift
            self.sampler = sampler
        }
    }
}
