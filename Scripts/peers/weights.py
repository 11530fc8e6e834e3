"""Writes a folder of diffusers of the size of Stable Diffusion 1.5 or SDXL base, with random weights in f16.

    python weights.py sd15|sdxl FOLDER TOKENIZERS

Speed and memory do not depend on what the weights are. TOKENIZERS has the folders `vit-l` and `bigg`: small
vocabularies, whose ids are the first of the text encoders' 49,408.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
UP_CROSS, UP_PLAIN = "CrossAttnUpBlock2D", "UpBlock2D"
UNETS = {
    "sd15": dict(
        sample_size=64, block_out_channels=(320, 640, 1280, 1280), cross_attention_dim=768, attention_head_dim=8,
        down_block_types=(CROSS, CROSS, CROSS, PLAIN), up_block_types=(UP_PLAIN, UP_CROSS, UP_CROSS, UP_CROSS)),
    "sdxl": dict(
        sample_size=128, block_out_channels=(320, 640, 1280), cross_attention_dim=2048, attention_head_dim=(5, 10, 20),
        transformer_layers_per_block=(1, 2, 10), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
        down_block_types=(PLAIN, CROSS, CROSS), up_block_types=(UP_CROSS, UP_CROSS, UP_PLAIN)),
}
NOISE = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)


def text_encoder(kind, tokenizer: Path, width: int, layers: int, heads: int, activation: str):
    vocabulary = json.loads((tokenizer / "vocab.json").read_text())
    return kind(CLIPTextConfig(
        vocab_size=49_408, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, projection_dim=width, hidden_act=activation,
        bos_token_id=vocabulary["<|startoftext|>"], eos_token_id=vocabulary["<|endoftext|>"]))


def main() -> None:
    kind, folder, tokenizers = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float16)

    def save(name: str, make) -> None:
        model = make()
        print(f"{kind}/{name}: {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
        model.save_pretrained(partial / name, max_shard_size="50GB")

    save("unet", lambda: UNet2DConditionModel(**UNETS[kind]))
    save("vae", lambda: AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4, sample_size=512,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.13025 if kind == "sdxl" else 0.18215))
    save("text_encoder", lambda: text_encoder(CLIPTextModel, tokenizers / "vit-l", 768, 12, 12, "quick_gelu"))
    shutil.copytree(tokenizers / "vit-l", partial / "tokenizer")
    if kind == "sdxl":
        save("text_encoder_2", lambda: text_encoder(
            CLIPTextModelWithProjection, tokenizers / "bigg", 1280, 32, 20, "gelu"))
        shutil.copytree(tokenizers / "bigg", partial / "tokenizer_2")
        EulerDiscreteScheduler(**NOISE, timestep_spacing="leading").save_pretrained(partial / "scheduler")
    else:
        DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False).save_pretrained(partial / "scheduler")
    partial.rename(folder)


if __name__ == "__main__":
    main()
