"""Trains Cosmos. Resumes exactly from `--run`/checkpoint.pt when there is one.

    python train.py --data DIRECTORY --run DIRECTORY [--steps N] [--minutes N] [--decay N] [--start EXPORTED]

Batches, noise and every other draw are functions of (seed, step): a run that is cut and resumed gives the same weights
as one that is not. The learning rate is warmed up, then constant; `--decay N` lets it fall to nothing over the last N
of `--steps` steps, which is done from a copy of the run whenever weights are to be published.
"""
import argparse
import copy
import json
import multiprocessing
import os
import pathlib
import time
from concurrent.futures import ProcessPoolExecutor

import safetensors.torch
import torch
import torch.nn.functional as F
from torch import nn

import canvas
from network import COARSE, Network, coefficients, expectation

WARM_UP = 200
ABSENT = -1e4


class Model(nn.Module):
    """The network and the words' vectors; the last row stands for no text."""

    def __init__(self, words):
        super().__init__()
        self.network = Network()
        self.words = nn.Embedding(words + 1, 64)


def noise_levels(count, scale, generator):
    """Logit-normal, lower where a coarser picture is given, and one in eight close to pure noise."""
    normal = torch.randn(count, generator=generator)
    t = torch.sigmoid(1.2 * normal + (0.2 if scale == canvas.SIXTEENTH else -0.5))
    high = 1 - 0.25 * torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < 0.125, high, t)


def coarser(picture, scale, generator):
    """The coarser scale's picture with a plane that says it is there: noised a little, dropped for a whole group at times."""
    batch, _, height, width = picture.shape
    if scale == canvas.SIXTEENTH:
        return torch.zeros(batch, 4, height // COARSE, width // COARSE)
    coarse = F.avg_pool2d(picture, COARSE)
    amount = 0.12 * torch.rand(batch, 1, 1, 1, generator=generator)
    coarse = coarse + amount * torch.randn(coarse.shape, generator=generator)
    given = (torch.rand(batch // canvas.GROUP, 1, 1, 1, generator=generator) > 0.2).float().repeat_interleave(canvas.GROUP, 0)
    return torch.cat([coarse * given, given.expand(-1, 1, *coarse.shape[2:])], 1)


def loss_of(model, made, seed, step, half):
    """Mean squared error of the network's output for one batch; its target has about unit variance at every level."""
    scale, side, picture, texts = made
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    picture, texts = torch.from_numpy(picture), torch.from_numpy(texts)
    batch = picture.shape[0]
    coarse = coarser(picture, scale, generator)
    t = noise_levels(batch, scale, generator)
    # The tiles of a group stand at one noise level, as the tiles of a canvas do.
    t = t[::canvas.GROUP].repeat_interleave(canvas.GROUP)
    noise = torch.randn(picture.shape, generator=generator)
    which = F.one_hot(torch.full((batch,), scale), 3).float()
    text = torch.einsum("bvhw,vd->bdhw", texts, model.words.weight)
    pools = [p for p in (1, 2, 4, 8, 16) if side // canvas.CELL // p >= 1 and p >= side // canvas.CELL // 4]
    pool = pools[int(torch.randint(len(pools), (1,), generator=generator))]
    published_mode = float(torch.rand(1, generator=generator))
    stale_share = float(torch.rand(1, generator=generator))
    network = model.network
    expected, deviation = expectation(coarse)

    def at(level):
        level = level[:, None, None, None]
        c_in, c_out = coefficients(level, deviation)
        return ((1 - level) * (picture - expected) + level * noise) * c_in, c_out

    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        x, c_out = at(t)
        h, skip0, skip1, modulation = network.encode(x, coarse, t, which, text)
        own = network.summary(h, pool)
        if published_mode < 0.15:       # alone
            tokens = own
        else:
            published = own
            if published_mode > 0.6:    # one step stale: as published at a higher noise level
                with torch.no_grad():
                    earlier = t + (1 - t) * 0.7 * stale_share
                    published = network.summary(network.encode(at(earlier)[0], coarse, earlier, which, text)[0], pool)
            shared = published.reshape(batch // canvas.GROUP, -1, own.shape[-1]).repeat_interleave(canvas.GROUP, 0)
            tokens = shared
        out = network.decode(x, h, skip0, skip1, modulation, tokens, torch.zeros(tokens.shape[:2]))
    # The error of the velocity (Salimans and Ho 2022; x-prediction under it: Li and He 2025), which would be infinite at 0.
    weight = (c_out / t.clamp(min=0.1)[:, None, None, None]) ** 2
    return (weight * (out.float() - (picture - expected) / c_out).pow(2)).mean(), scale


def start_from(folder, model, vocabulary):
    """Takes over what `export.py` wrote: for a machine that has the published weights but not the run."""
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    model.network.load_state_dict({name: weight.float() for name, weight in weights.items()})
    table = safetensors.torch.load_file(folder / "words.safetensors")
    rows = {word: row for row, word in enumerate((folder / "words.txt").read_text().splitlines())}
    with torch.no_grad():
        # A trained word stands for itself in the table, so its vector is the one that was trained.
        model.words.weight[:-1] = torch.stack([table["vectors"][rows[word]] for word in vocabulary]).float()
        model.words.weight[-1] = table["nothing"].float()


def load(folder):
    """Reads the pictures in the process that makes the batches."""
    global pictures
    torch.set_num_threads(1)
    pictures = canvas.Pictures(folder)


def make_batch(seed, step):
    return canvas.batch(pictures, seed, step)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--run", type=pathlib.Path, required=True)
    arguments.add_argument("--start", type=pathlib.Path, help="exported weights that a new run starts from")
    arguments.add_argument("--steps", type=int, default=1_000_000)
    arguments.add_argument("--minutes", type=float, default=1e9)
    arguments.add_argument("--decay", type=int, default=0)
    arguments.add_argument("--rate", type=float, default=8e-4)
    arguments.add_argument("--average", type=float, default=0.998)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--threads", type=int, default=2)
    # Twice as fast on Zen 4, slower on Intel processors without matrix tiles (AMX): measure ten steps of each.
    arguments.add_argument("--bfloat16", action="store_true")
    arguments.add_argument("--checkpoint-minutes", type=float, default=4)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.run.mkdir(parents=True, exist_ok=True)
    path = options.run / "checkpoint.pt"

    vocabulary = json.loads((options.data / "vocabulary.json").read_text())
    model = Model(len(vocabulary))
    if options.start and not path.exists():
        start_from(options.start, model, vocabulary)
    average = copy.deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, betas=(0.9, 0.97), weight_decay=0.01, fused=True)
    step, seconds, smooth = 0, 0.0, [0.0, 0.0, 0.0]
    if path.exists():
        state = torch.load(path, weights_only=False)
        if state["vocabulary"] != vocabulary:
            raise SystemExit(f"{path}: trained with another vocabulary than {options.data}/vocabulary.json")
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds, smooth = state["step"], state["seconds"], state["smooth"]

    def save():
        state = {"model": model.state_dict(), "average": average.state_dict(), "step": step, "seconds": seconds,
                 "optimizer": optimizer.state_dict(), "smooth": smooth, "vocabulary": vocabulary}
        torch.save(state, options.run / "checkpoint.new")
        os.replace(options.run / "checkpoint.new", path)

    started = saved = time.time()
    log = open(options.run / "log.jsonl", "a", buffering=1)
    # A process of its own: a thread would hold Python's lock while the network waits for it between two layers.
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork"), load, (options.data,)) as ahead:
        waiting = ahead.submit(make_batch, options.seed, step)
        while step < options.steps and time.time() - started < options.minutes * 60:
            begun = time.time()
            made = waiting.result()
            waiting = ahead.submit(make_batch, options.seed, step + 1)
            rate = min(1, (step + 1) / WARM_UP)
            if options.decay:
                rate *= min(1, max(0, options.steps - step) / options.decay)
            for parameters in optimizer.param_groups:
                parameters["lr"] = options.rate * rate
            optimizer.zero_grad(set_to_none=True)
            loss, scale = loss_of(model, made, options.seed, step, options.bfloat16)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            decay = min(options.average, (1 + step) / (10 + step))
            with torch.no_grad():
                torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
            smooth[scale] = 0.98 * smooth[scale] + 0.02 * loss.item() if smooth[scale] else loss.item()
            seconds += time.time() - begun
            if step % 50 == 0:
                log.write(json.dumps({"step": step, "seconds": round(seconds), "loss": [round(s, 4) for s in smooth]}) + "\n")
            if time.time() - saved > options.checkpoint_minutes * 60:
                save()
                saved = time.time()
    save()


if __name__ == "__main__":
    main()
