"""Paints a panorama with diffusers' MultiDiffusion, in a process of its own, and prints the seconds as JSON.

    python panorama.py FOLDER WIDTH HEIGHT STEPS SEED LATENTS.safetensors

The noise is written as the tensor `noise`, and where the painting arrived as `latents`.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPanoramaPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizer


def main() -> None:
    folder, width, height, steps, seed = Path(sys.argv[1]), *map(int, sys.argv[2:6])
    torch.set_num_threads(2)
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32)
    if not hasattr(encoder, "text_model"):
        # diffusers 0.42 asks for the part of the model that transformers 5 has made the model itself.
        object.__setattr__(encoder, "text_model", encoder)
    pipeline = StableDiffusionPanoramaPipeline(
        vae=AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32), text_encoder=encoder,
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32),
        scheduler=DDIMScheduler.from_pretrained(folder / "scheduler"), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))
    counted = 0

    def count(*_):
        nonlocal counted
        counted += 1

    pipeline.unet.register_forward_hook(count)
    start = time.perf_counter()
    latents = pipeline(
        prompt="a red fox", width=width, height=height, num_inference_steps=steps, guidance_scale=7.5,
        latents=noise.clone(), output_type="latent").images
    seconds = time.perf_counter() - start
    save_file({"noise": noise, "latents": latents.contiguous()}, sys.argv[6])
    # Each call takes the prompt and the empty prompt at once.
    print(json.dumps({
        "seconds": seconds, "evaluations": 2 * counted,
        "peakResidentBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
