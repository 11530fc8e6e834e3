/// The families of checkpoints that Choir paints with.
public enum CheckpointKind: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// Stable Diffusion 1.x: one CLIP text encoder, 512² pixels.
    case stableDiffusion1
    /// Stable Diffusion 2.x: one OpenCLIP text encoder, 512² or 768² pixels, noise or velocity.
    case stableDiffusion2
    /// SDXL base: two text encoders, told the picture's size and crop.
    case sdxlBase
    /// SDXL refiner: one text encoder, told an aesthetic score; for the last part of the noise.
    case sdxlRefiner

    /// The name that people use.
    public var description: String {
        switch self {
        case .stableDiffusion1: "Stable Diffusion 1.x"
        case .stableDiffusion2: "Stable Diffusion 2.x"
        case .sdxlBase: "SDXL base"
        case .sdxlRefiner: "SDXL refiner"
        }
    }

    /// Whether it is one of the two networks of SDXL.
    public var isXL: Bool { self == .sdxlBase || self == .sdxlRefiner }

    /// The text encoders that it needs, in the order in which their features are joined.
    public var textEncoders: [CheckpointPart] {
        switch self {
        case .stableDiffusion1, .stableDiffusion2: [.textEncoder]
        case .sdxlBase: [.textEncoder, .textEncoder2]
        case .sdxlRefiner: [.textEncoder2]
        }
    }

    /// Side of the pictures that it was trained on, in pixels, where nothing states it.
    func nativeSide(predictsVelocity: Bool) -> Int {
        switch self {
        case .stableDiffusion1: 512
        case .stableDiffusion2: predictsVelocity ? 768 : 512
        case .sdxlBase, .sdxlRefiner: 1024
        }
    }
}

/// The networks of a checkpoint, by the names of their folders in diffusers.
public enum CheckpointPart: String, Hashable, Sendable, CaseIterable {
    /// The denoiser.
    case unet
    /// From latents to pictures and back.
    case autoencoder = "vae"
    /// The first text encoder, or the only one of Stable Diffusion.
    case textEncoder = "text_encoder"
    /// The second text encoder of SDXL; the only one of its refiner.
    case textEncoder2 = "text_encoder_2"

    /// The folder of the tokenizer of a text encoder.
    var tokenizerFolder: String? {
        switch self {
        case .textEncoder: "tokenizer"
        case .textEncoder2: "tokenizer_2"
        case .unet, .autoencoder: nil
        }
    }
}

/// What the UNet of a checkpoint was trained to predict.
public enum CheckpointPrediction: String, Hashable, Sendable {
    /// The noise.
    case epsilon
    /// The velocity (Salimans and Ho, arXiv:2202.00512, appendix D).
    case velocity = "v_prediction"
    /// The clean latent.
    case sample
}
