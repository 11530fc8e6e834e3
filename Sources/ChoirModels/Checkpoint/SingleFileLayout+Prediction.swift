import ChoirTensor
import Foundation

extension SingleFileLayout {
    /// What the network predicts, and the sentence that says why.
    ///
    /// Fine-tuned files may carry an empty tensor `v_pred`, or the metadata of Stability AI's Model Metadata Standard.
    /// No published file of 2.x says it. It is told by the training step where that is 2.0-base's, as by diffusers'
    /// `from_single_file`, else by the spread of some weights, as by ComfyUI (`supported_models.py`, `SD20`); without
    /// those the velocity is assumed.
    func prediction(_ kind: CheckpointKind) -> (CheckpointPrediction, String?) {
        if has("v_pred") { return (.velocity, nil) }
        switch file.metadata["modelspec.prediction_type"] {
        case "v": return (.velocity, nil)
        case "epsilon": return (.epsilon, nil)
        default: break
        }
        guard kind == .stableDiffusion2 else { return (.epsilon, "single files of \(kind) predict the noise") }
        if let steps = try? file.integers("global_step"), steps == [875_000] {
            return (.epsilon, "its global_step is that of Stable Diffusion 2.0-base, which predicts the noise")
        }
        guard let spread = spreadOfLastAttention else {
            return (.velocity, "a single file does not say it; taken to be the velocity at 768² pixels")
        }
        let number = String(format: "%.3f", spread)
        return spread > 0.09
            ? (.velocity, "the biases of its last attention spread by \(number), more than 0.09, as for the velocity")
            : (.epsilon, "the biases of its last attention spread by \(number), at most 0.09, as for the noise")
    }

    /// The standard deviation of the biases of the normalisation before the UNet's last self-attention.
    private var spreadOfLastAttention: Double? {
        let name = Self.unetPrefix + "output_blocks.11.1.transformer_blocks.0.norm1.bias"
        guard let width = shape(name, rank: 1)?[0], width <= 65_536, let biases = try? file.floats(name).elements else {
            return nil
        }
        let mean = biases.reduce(0) { $0 + Double($1) } / Double(width)
        let variance = biases.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(width)
        return variance.squareRoot()
    }
}
