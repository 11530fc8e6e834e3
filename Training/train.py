"""Trains Cosmos. Resumes exactly from `--run`/checkpoint.pt when there is one.

    python train.py --data DIRECTORY --run DIRECTORY [--steps N] [--minutes N] [--decay N] [--start EXPORTED]

Every worker is a process with a batch of its own; the mean of their gradients makes the step. They wait for each other
once a step, where threads would wait after every layer: on a machine that does other work as well that is much faster.
Batches, noise and every other draw are functions of (seed, step, worker): a run that is cut and resumed gives the same
weights as one that is not. The learning rate is warmed up, then constant; `--decay N` lets it fall to nothing over the last N
of `--steps` steps, which is done from a copy of the run whenever weights are to be published.
"""
import argparse
import copy
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

import safetensors.torch
import torch
import torch.distributed
import torch.nn.functional as F
from torch import nn

import canvas
import lookup
from network import COARSE, COMPOSED_STYLING, STYLE_PATH, UNSHUFFLE, Network, coefficients, expectation
from pictures import Pictures
from scales import EIGHTH, FULL

WARM_UP = 50
QUICK = 8       # times the learning rate of the rest, for the path of what all tiles have in common
GRID = 2.0      # how much the visible grid counts beside the error
COLOUR = 30.0   # how much the colours of whole tiles count beside it, where full size is composed


class Model(nn.Module):
    """The network and the words' vectors; the last row stands for no text."""

    def __init__(self, words):
        super().__init__()
        self.network = Network()
        self.words = nn.Embedding(words + 1, 64)


def noise_levels(count, mean, deviation, generator):
    """Logit-normal, and one in eight close to pure noise."""
    t = torch.sigmoid(deviation * torch.randn(count, generator=generator) + mean)
    high = 1 - 0.25 * torch.rand(count, generator=generator)
    return torch.where(torch.rand(count, generator=generator) < 0.125, high, t)


def seen_coarser(picture, coarser, together, generator):
    """What tiles see of the coarser scale's pictures, None or of the shape of their own: noised a little, with a plane that
    says it is there; seldom it is not, for a group."""
    batch, _, height, width = picture.shape
    if coarser is None:
        return torch.zeros(batch, 4, height // COARSE, width // COARSE)
    coarse = F.avg_pool2d(torch.from_numpy(coarser), COARSE)
    # Mostly little: the network is not told how much, and would take faint stars for noise.
    amount = 0.12 * torch.rand(batch, 1, 1, 1, generator=generator) ** 2
    coarse = coarse + amount * torch.randn(coarse.shape, generator=generator)
    given = (torch.rand(batch // together, 1, 1, 1, generator=generator) > 0.04).float().repeat_interleave(together, 0)
    return torch.cat([coarse * given, given.expand(-1, 1, *coarse.shape[2:])], 1)


def grid_of(clean):
    """How much the folds show: the squared deviation from 1 of the steepness of lines at each place of a fold, over all.

    clean [B, 3, H, W]. Steepness is taken relative to each picture's own, so that dark ones count as much as bright ones.
    """
    total = 0
    for lines in (clean, clean.transpose(2, 3)):
        steep = (lines[..., UNSHUFFLE:] - lines[..., UNSHUFFLE - 1:-1]).abs().mean((1, 2)) + 1e-4
        places = steep.unflatten(1, (-1, UNSHUFFLE)).mean(1)
        total = total + ((places / places.mean(1, keepdim=True)).mean(0) - 1).square().sum()
    return total


def colour_of(means):
    """How coloured mean colours [B, 3] are: the mean square of how they deviate from grey. The error of these means is least
    where that of every pixel is, but what other tiles tell is little of a pixel and much of a tile."""
    return (means - means.mean(1, keepdim=True)).square().mean()


def loss_of(model, made, seed, step, half):
    """Mean squared error of the network's output for one batch, whose target has about unit variance at every level, that
    of tiles' colours where full size is composed, and the visible grid."""
    scale, together, picture, coarser, texts = made
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    picture, texts = torch.from_numpy(picture), torch.from_numpy(texts)
    batch, side = picture.shape[0], picture.shape[-1]
    coarse = seen_coarser(picture, coarser, together, generator)
    # A style that no coarser picture tells is decided close to pure noise.
    mean, deviation = (-0.9, 1.2) if coarser is not None else (0.6, 1.3) if scale == EIGHTH else (2.5, 1.3)
    t = noise_levels(batch, mean, deviation, generator)
    # The tiles of a group stand at one noise level, as the tiles of a canvas do.
    t = t[::together].repeat_interleave(together)
    noise = torch.randn(picture.shape, generator=generator)
    which = F.one_hot(torch.full((batch,), scale), 3).float()
    text = torch.einsum("bvhw,vd->bdhw", texts, model.words.weight)
    pools = [p for p in (1, 2, 4, 8, 16) if side // canvas.CELL // p >= 1 and p >= side // canvas.CELL // 4]
    pool = pools[int(torch.randint(len(pools), (1,), generator=generator))]
    # A canvas that is composed is one tile mostly, which hears itself alone.
    alone, stale = (0.7, 0.85) if scale == EIGHTH else (0.15, 0.6)
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
        features = network.encode(x, coarse, t, which, text)
        own = network.summary(x, features[0], pool)
        if published_mode < alone:
            tokens = own
        else:
            published = own
            if published_mode > stale:      # by one step: as published at a higher noise level
                with torch.no_grad():
                    earlier = t + (1 - t) * 0.7 * stale_share
                    x_earlier = at(earlier)[0]
                    published = network.summary(
                        x_earlier, network.encode(x_earlier, coarse, earlier, which, text)[0], pool)
            shared = published.reshape(batch // together, -1, own.shape[-1]).repeat_interleave(together, 0)
            tokens = shared
        out = network.decode(x, features, tokens, torch.zeros(tokens.shape[:2]))
    # The error of the velocity (Salimans and Ho 2022; x-prediction under it: Li and He 2025), which would be infinite at 0.
    weight = (c_out / t.clamp(min=0.1)[:, None, None, None]) ** 2
    missed = out.float() - (picture - expected) / c_out
    error = (weight * missed.pow(2)).mean()
    if scale == FULL and coarser is None:
        error = error + COLOUR * colour_of((weight.sqrt() * missed).mean((2, 3)))
    return error + GRID * grid_of(expected + c_out * out.float()), scale


def batch_of(pictures, options, draw):
    """The batch of a draw; with `--composed` one of full size whose coarser pictures are not told."""
    if not options.composed:
        return canvas.batch(pictures, options.seed, draw, options.shares)
    scale, together, picture, _, texts = canvas.batch(pictures, options.seed, draw, (1, 0, 0))
    return scale, together, picture, None, texts


def start_from(folder, model, vocabulary):
    """Takes over what `export.py` wrote: for a machine that has the published weights but not the run."""
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    model.network.load_state_dict({name: weight.float() for name, weight in weights.items()})
    table = lookup.WordTable.load(folder)
    with torch.no_grad():
        model.words.weight[:-1] = torch.from_numpy(table.trained(vocabulary))
        model.words.weight[-1] = torch.from_numpy(table.nothing)


def mean_of_workers(tensors, count):
    """Replaces tensors by their means over all workers."""
    if count > 1:
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        for tensor, mean in zip(tensors, (flat / count).split([tensor.numel() for tensor in tensors])):
            tensor.copy_(mean.view_as(tensor))


def meet(options):
    """Starts the other workers, if this is the first, and waits until all are there."""
    place = options.run / "workers"
    if options.worker == 0:
        place.unlink(missing_ok=True)
        for worker in range(1, options.workers):
            subprocess.Popen([sys.executable, *sys.argv, "--worker", str(worker)])
    # A day: training may be paused.
    torch.distributed.init_process_group("gloo", init_method=f"file://{place.resolve()}", rank=options.worker,
                                         world_size=options.workers, timeout=datetime.timedelta(days=1))


def parsed():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--run", type=pathlib.Path, required=True)
    arguments.add_argument("--start", type=pathlib.Path, help="exported weights that a new run starts from")
    arguments.add_argument("--steps", type=int, default=1_000_000)
    arguments.add_argument("--minutes", type=float, default=1e9)
    arguments.add_argument("--decay", type=int, default=0)
    arguments.add_argument("--rate", type=float, default=8e-4)
    arguments.add_argument("--average", type=float, default=0.998)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--shares", type=float, nargs=3, default=canvas.SHARES,
                           help="of the batches, for the full, quarter and eighth scale")
    arguments.add_argument("--composed", action="store_true",
                           help="train only how tiles follow the others where full size is composed; all else stays")
    arguments.add_argument("--workers", type=int, default=2, help="a resumed run needs as many as before")
    arguments.add_argument("--worker", type=int, default=0, help=argparse.SUPPRESS)
    # Twice as fast on Zen 4, slower on Intel processors without matrix tiles (AMX): measure ten steps of each.
    arguments.add_argument("--bfloat16", action="store_true")
    arguments.add_argument("--checkpoint-minutes", type=float, default=4)
    return arguments.parse_args()


def main():
    options = parsed()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    options.run.mkdir(parents=True, exist_ok=True)
    if options.workers > 1:
        meet(options)
    path = options.run / "checkpoint.pt"

    pictures = Pictures(options.data)
    model = Model(len(pictures.vocabulary))
    if options.start and not path.exists():
        start_from(options.start, model, pictures.vocabulary)
    model.to(memory_format=torch.channels_last)    # a tenth less time a step
    average = copy.deepcopy(model).eval().requires_grad_(False)
    quick = [parameter for name in (COMPOSED_STYLING if options.composed else STYLE_PATH)
             for parameter in getattr(model.network, name).parameters()]
    others = [parameter for parameter in model.parameters() if not any(parameter is one for one in quick)]
    if options.composed:
        model.requires_grad_(False)
        others = []
    trained = [parameter.requires_grad_() for parameter in quick + others]
    optimizer = torch.optim.AdamW([{"params": others, "factor": 1}, {"params": quick, "factor": QUICK}], lr=options.rate,
                                  betas=(0.9, 0.97), weight_decay=0.01, fused=True)
    step, seconds, smooth = 0, 0.0, [0.0, 0.0, 0.0]
    if path.exists():
        state = torch.load(path, weights_only=False)
        if state["vocabulary"] != pictures.vocabulary:
            raise SystemExit(f"{path}: trained with another vocabulary than {options.data}/vocabulary.json")
        if state["workers"] != options.workers:
            raise SystemExit(f"{path}: trained with {state['workers']} workers, found {options.workers}")
        if state.get("composed", False) != options.composed:
            raise SystemExit(f"{path}: trained {'without' if options.composed else 'with'} --composed, expected the same again")
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds, smooth = state["step"], state["seconds"], state["smooth"]

    def save():
        state = {"model": model.state_dict(), "average": average.state_dict(), "step": step, "seconds": seconds,
                 "optimizer": optimizer.state_dict(), "smooth": smooth, "vocabulary": pictures.vocabulary,
                 "workers": options.workers, "composed": options.composed}
        torch.save(state, options.run / "checkpoint.new")
        os.replace(options.run / "checkpoint.new", path)

    started = saved = time.time()
    log = open(options.run / "log.jsonl", "a", buffering=1)
    late = torch.zeros(1)
    while step < options.steps and not late:
        begun = time.time()
        draw = step * options.workers + options.worker
        rate = min(1, (step + 1) / WARM_UP)
        if options.decay:
            rate *= min(1, max(0, options.steps - step) / options.decay)
        for parameters in optimizer.param_groups:
            parameters["lr"] = options.rate * parameters["factor"] * rate
        optimizer.zero_grad(set_to_none=True)
        made = batch_of(pictures, options, draw)
        loss, scale = loss_of(model, made, options.seed, draw, options.bfloat16)
        loss.backward()
        # Stale tokens are not followed back to what made them.
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        losses, counts = torch.zeros(2, 3)
        losses[scale], counts[scale] = loss.item(), 1
        late.fill_(time.time() - started > options.minutes * 60)
        mean_of_workers([*(parameter.grad for parameter in trained), losses, counts, late], options.workers)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step += 1
        decay = min(options.average, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
        for scale in counts.nonzero().flatten().tolist():
            found = float(losses[scale] / counts[scale])
            smooth[scale] = 0.98 * smooth[scale] + 0.02 * found if smooth[scale] else found
        seconds += time.time() - begun
        if options.worker == 0:
            if step % 50 == 0:
                entry = {"step": step, "seconds": round(seconds), "loss": [round(s, 4) for s in smooth]}
                log.write(json.dumps(entry) + "\n")
            if time.time() - saved > options.checkpoint_minutes * 60:
                save()
                saved = time.time()
    if options.worker == 0:
        save()


if __name__ == "__main__":
    main()
