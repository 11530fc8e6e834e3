"""Paints from a training run or an exported folder, the way the Swift pipeline does it with one tile.

    python sample.py --run DIRECTORY --prompt "red nebula" --output x.png [--side 512] [--seed 0]
    python sample.py --run DIRECTORY --sheet --output sheet.jpg [--prompts prompts.txt] [--pictures DIRECTORY]

DIRECTORY is a run (checkpoint.pt) or an exported folder (config.json). The eighth is composed from pure noise, of a large
picture at a quarter of its side first; each finer size is given the picture of the coarser, and starts from it where
`--start` is below 1. Settings are lists of four: how the eighth is composed, and how the eighth, the quarter and the full
size are refined; those that are not given are the folder's own.
"""
import argparse
import json
import math
import pathlib

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

from export import HERE, split
from lookup import WordTable
from network import CELL, COARSE, Network
from scales import EIGHTH, FULL, QUARTER, REDUCTIONS
from settings import COMPOSED_SIDE, SAMPLERS, Settings
from sketch import Forms
from words import Mixtures

LARGEST_POOL = 8


def stepped(sampler, x, clean, before, levels, i, fresh):
    """x at levels[i + 1], from x and the clean picture predicted at levels[i]; `before` is what the step before predicted,
    `fresh` makes noise of a shape.

    Euler's step; that of DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), whose first and last are of first order; Euler's
    with fresh noise (Song et al. 2021, "DDIM", equation 16 with eta = 1); or clean, noised again (LCM).
    """
    t, after = levels[i], levels[i + 1]
    if sampler == "lcm":
        return (1 - after) * clean + after * fresh(x.shape)
    if sampler == "euler-a":
        kept = after * (1 - t) / (t * (1 - after))
        added = after * math.sqrt(1 - kept**2)
        direction = math.sqrt(after**2 - added**2) / t
        return direction * x + (1 - after - (1 - t) * direction) * clean + added * fresh(x.shape)
    if sampler == "dpmpp2m" and before is not None and after > 0 and levels[i - 1] < 1:
        log_signal = lambda t: math.log((1 - t) / t)
        ratio = (log_signal(after) - log_signal(t)) / (log_signal(t) - log_signal(levels[i - 1]))
        clean = clean + (clean - before) * ratio / 2
    return clean + (x - clean) * (after / t)


def ladder(side):
    """The sizes that a picture of so many pixels a side is painted at, coarse to fine: scale, and pixels of the full size
    that are one of it. Large canvases of the eighth are composed smaller first."""
    rungs = [(scale, REDUCTIONS[scale]) for scale in (FULL, QUARTER, EIGHTH)]
    while side // rungs[-1][1] // COARSE >= COMPOSED_SIDE:
        rungs.append((EIGHTH, rungs[-1][1] * COARSE))
    return rungs[::-1]


class Painter:
    """A network, its word table, settings, and what it has learned of forms."""

    def __init__(self, net, table, settings=Settings(), forms=None):
        self.network, self.table, self.settings = net.eval().requires_grad_(False), table, settings
        self.forms = forms

    def text(self, prompt):
        return torch.from_numpy(self.table.vector(prompt))[None, :, None, None]

    def predict(self, noisy, coarse, t, scale, text, guidance):
        """The clean picture. With guidance g it is u + g (c - u): c with the text, u with none (Ho, Salimans 2022)."""
        pool = min(LARGEST_POOL, 2 ** int(math.log2(min(noisy.shape[2:]) // CELL)))
        texts = text if guidance == 1 else torch.cat([text, torch.from_numpy(self.table.nothing)[None, :, None, None]])
        count = len(texts)
        repeat = lambda x: x.expand(count, *x.shape[1:])
        which = F.one_hot(torch.full((count,), scale), 3).float()
        nobody = noisy.new_zeros(count, 0, self.network.widths[2])
        clean, _ = self.network(repeat(noisy), repeat(coarse), torch.full((count,), float(t)), which, texts,
                                nobody, nobody[..., 0], pool)
        return clean if guidance == 1 else clean[1:] + guidance * (clean[:1] - clean[1:])

    def stage(self, scale, side, coarser, text, seed):
        """One size: steps in flow time down to 0, x_t = (1 - t) x + t n."""
        place = 0 if coarser is None else 1 + EIGHTH - scale
        levels, guidance = self.settings.levels(place), self.settings.guidance[place]
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(1, 3, side, side, generator=generator)
        if coarser is None:
            coarse = torch.zeros(1, 4, side // COARSE, side // COARSE)
        else:
            coarser = coarser[..., :side // COARSE, :side // COARSE]
            coarse = torch.cat([coarser, torch.ones_like(coarser[:, :1])], 1)
            above = F.interpolate(coarser, scale_factor=COARSE, mode="bilinear", align_corners=False)
            x = (1 - levels[0]) * above + levels[0] * x
        clean, sketch = None, None
        if coarser is None and scale == EIGHTH and self.forms:
            sketch = self.forms.sketch(text[0, :, 0, 0], side, seed)
        for i, t in enumerate(levels[:-1]):
            before, clean = clean, self.predict(x, coarse, t, scale, text, guidance)
            if sketch is not None and t > self.forms.until:
                clean = sketch
            x = stepped(self.settings.sampler[place], x, clean, before, levels, i,
                        lambda shape: torch.randn(shape, generator=generator))
        return x

    @torch.inference_mode()
    def paint(self, prompt, side, seed):
        """A picture [side, side, 3] of bytes."""
        text, picture = self.text(prompt), None
        rungs = ladder(side)
        for rung, (scale, reduction) in enumerate(rungs):
            if picture is not None:
                picture = F.avg_pool2d(picture, COARSE * reduction // rungs[rung - 1][1])
            # Each size covers at least the picture, in whole cells of its own.
            covered = -(-side // (reduction * CELL)) * CELL
            picture = self.stage(scale, covered, picture, text, seed * 16 + rung)
        black = self.settings.black
        light = ((picture[0, :, :side, :side] - black) / (1 - black)).clamp(0, 1) * 255
        return light.round().byte().permute(1, 2, 0).numpy()


def load(folder, mixtures=HERE / "word_mixtures.npz"):
    """Network and word table of a run or an exported folder."""
    net = Network()
    if (folder / "config.json").exists():
        reductions = json.loads((folder / "config.json").read_text())["reductions"]
        if reductions != list(REDUCTIONS):
            raise SystemExit(f"{folder}/config.json: reductions: found {reductions}, expected {list(REDUCTIONS)}")
        weights = safetensors.torch.load_file(folder / "model.safetensors")
        table = WordTable.load(folder)
    else:
        state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=False, mmap=True)
        weights, learned = split(state["average"])
        words = Mixtures.of(state["vocabulary"], mixtures)
        vectors = words.mixtures.astype("f4") @ learned[:-1].numpy()
        table = WordTable(words.words, vectors, words.weights, learned[-1].numpy())
    net.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return net, table


def sheet(pictures, titles, columns=6, side=256):
    """Small versions side by side, each with its title."""
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * side, rows * (side + 18)))
    draw = ImageDraw.Draw(whole)
    for i, (picture, title) in enumerate(zip(pictures, titles)):
        y, x = divmod(i, columns)
        whole.paste(Image.fromarray(picture).resize((side, side), Image.LANCZOS), (x * side, y * (side + 18) + 18))
        draw.text((x * side + 4, y * (side + 18) + 3), title, fill=(255, 255, 255))
    return whole


def four(kind):
    def parse(text):
        values = tuple(kind(value) for value in text.split(","))
        if len(values) != 4:
            raise argparse.ArgumentTypeError(f"{text}: found {len(values)}, expected four, coarse to fine")
        return values
    return parse


def rule(name):
    if name not in SAMPLERS:
        raise argparse.ArgumentTypeError(f"found the step rule {name!r}, expected one of {', '.join(SAMPLERS)}")
    return name


def add_sampler_options(arguments):
    arguments.add_argument("--steps", type=four(int))
    arguments.add_argument("--guidance", type=four(float))
    arguments.add_argument("--start", type=four(float))
    arguments.add_argument("--shift", type=four(float))
    arguments.add_argument("--sampler", type=four(rule))
    arguments.add_argument("--side", type=int, default=512)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--threads", type=int, default=1)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--run", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    arguments.add_argument("--prompt", default="")
    arguments.add_argument("--sheet", action="store_true")
    arguments.add_argument("--prompts", type=pathlib.Path, default=HERE / "prompts.txt")
    arguments.add_argument("--pictures", type=pathlib.Path, help="with --sheet: keep the pictures here at full size")
    add_sampler_options(arguments)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    painter = Painter(*load(options.run), Settings.of(options.run, options), Forms.of(options.run))
    if not options.sheet:
        Image.fromarray(painter.paint(options.prompt, options.side, options.seed)).save(options.output)
        return
    prompts, pictures = options.prompts.read_text().splitlines(), []
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    for i, prompt in enumerate(prompts):
        pictures.append(painter.paint(prompt, options.side, options.seed + i))
        if options.pictures:
            Image.fromarray(pictures[-1]).save(options.pictures / f"{i:03} {prompt}.png")
    sheet(pictures, prompts).save(options.output, quality=92)


if __name__ == "__main__":
    main()
