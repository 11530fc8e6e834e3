"""Writes the folder that the running program reads from a training run: averaged weights, word table, configuration.

    python export.py --run DIRECTORY --output DIRECTORY [--mixtures word_mixtures.npz]
    python export.py --exported DIRECTORY --output DIRECTORY [--mixtures word_mixtures.npz]

The second line writes a folder again with another table of words; its weights stay as they are.

model.safetensors   weights of `network.Network`, by the names of its state dict, in torch's layouts, f16
words.safetensors   `vectors` [V, 64], `weights` [V], `nothing` [64] (the vector of no text), f16
words.txt           the V words, one a line, in the order of the vectors
config.json         what the graph, the sampler and the text need to know

The same checkpoint gives the same bytes. Without a file of mixtures (see words.py) the table has the trained words
only.
"""
import argparse
import json
import pathlib
import shutil

import numpy as np
import safetensors.torch
import torch

import captions
import lookup
import network
from scales import REDUCTIONS
from settings import Settings
from words import Mixtures

HERE = pathlib.Path(__file__).parent
HALF_LARGEST = 65504


def half(name, tensor):
    """The tensor in f16; a weight that f16 cannot hold would come out infinite, so it is refused."""
    if not bool(torch.isfinite(tensor).all()) or float(tensor.abs().max()) > HALF_LARGEST:
        raise SystemExit(f"{name}: found a value that f16 cannot hold, largest {float(tensor.abs().max())}")
    return tensor.to(torch.float16).contiguous()


def split(average):
    """The averaged state of `train.Model`: weights of the network by name, vectors of the trained words and no text."""
    weights = {name.removeprefix("network."): tensor for name, tensor in average.items() if name.startswith("network.")}
    return weights, average["words.weight"]


def configuration(weights, vocabulary, step, seconds):
    """Everything that the weights alone do not say, and what a reader wants to see at a glance."""
    net = network.Network()
    expected = {name: tensor.shape for name, tensor in net.state_dict().items()}
    found = {name: tensor.shape for name, tensor in weights.items()}
    if expected != found:
        raise SystemExit("the checkpoint's weights are not those of network.Network as it is now")
    return {
        "format": "choir-cosmos",
        "version": 5,
        "network": {
            "widths": list(net.widths),
            "blocks": list(net.blocks),
            "embedding": net.text.out_features,
            "text": net.text.in_features,
            "fine": net.output.out_channels // network.UNSHUFFLE**2,
            "heads": net.attention[0].heads,
            "scales": net.scale.in_features,
            "unshuffle": network.UNSHUFFLE,
            "cell": network.CELL,
            "frequencies": len(net.frequencies),
            "highestFrequency": 1000,
            "parameters": sum(tensor.numel() for tensor in weights.values()),
        },
        "scaleFactor": network.COARSE,
        "reductions": list(REDUCTIONS),
        "picture": {"mean": network.PICTURE_MEAN, "deviation": network.PICTURE_DEVIATION,
                    "detail": network.DETAIL_DEVIATION},
        "painting": Settings().written(),
        "training": {"steps": step, "hours": round(seconds / 3600, 2)},
        "vocabulary": vocabulary,
        "objects": [word for word in vocabulary if word in captions.OBJECTS],
    }


def write_words(folder, table, learned, nothing):
    """The word table, from the vectors learned for the trained words [vocabulary, 64] and for no text [64]."""
    vectors = torch.from_numpy(table.mixtures.astype(np.float32)) @ learned
    tensors = {"vectors": half("vectors", vectors), "nothing": half("nothing", nothing),
               "weights": torch.from_numpy(table.weights.astype(np.float16))}
    (folder / "words.safetensors").write_bytes(safetensors.torch.save(tensors))
    (folder / "words.txt").write_text("\n".join(table.words) + "\n")


def write_again(exported, mixtures, folder):
    """Another table of words for an exported folder. Returns the table."""
    config = json.loads((exported / "config.json").read_text())
    table = Mixtures.of(config["vocabulary"], mixtures)
    words = lookup.WordTable.load(exported)
    if exported.resolve() != folder.resolve():
        for file in ("model.safetensors", "config.json", *(["forms.safetensors"] if "forms" in config else [])):
            shutil.copyfile(exported / file, folder / file)
    write_words(folder, table, torch.from_numpy(words.trained(config["vocabulary"])), torch.from_numpy(words.nothing))
    return table


def write_run(run, mixtures, folder):
    """The folder of a training run. Returns the table of words."""
    state = torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=False, mmap=True)
    weights, learned = split(state["average"])
    table = Mixtures.of(state["vocabulary"], mixtures)
    config = configuration(weights, state["vocabulary"], state["step"], state["seconds"])
    tensors = {name: half(name, tensor) for name, tensor in weights.items()}
    (folder / "model.safetensors").write_bytes(safetensors.torch.save(tensors))
    write_words(folder, table, learned[:-1], learned[-1])
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"step {state['step']}, {config['network']['parameters']:,} parameters")
    return table


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    either = arguments.add_mutually_exclusive_group(required=True)
    either.add_argument("--run", type=pathlib.Path)
    either.add_argument("--exported", type=pathlib.Path)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    arguments.add_argument("--mixtures", type=pathlib.Path, default=HERE / "word_mixtures.npz")
    options = arguments.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    write, source = (write_run, options.run) if options.run else (write_again, options.exported)
    table = write(source, options.mixtures, options.output)
    total = sum(path.stat().st_size for path in options.output.iterdir())
    print(f"{len(table.words):,} words, {total / 1e6:.1f} MB in {options.output}")


if __name__ == "__main__":
    main()
