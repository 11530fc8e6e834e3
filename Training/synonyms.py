"""Do words that training never saw paint what they mean?

    python synonyms.py --data DIRECTORY --run DIRECTORY --output figures.json

Paints one picture for each of the 50 words and phrases of synonyms.json, which were written down before the word table
was looked at; a colour alone is asked of a nebula. A picture is right if kind and colour, as far as the synonym says
them, are those that the votes of evaluate.py find in it. Kinds count by their families; a star cluster may be of either
kind.
"""
import argparse
import json
import pathlib

import numpy as np
import torch

import lookup
import sample
from descriptor import descriptor
from evaluate import FAMILIES, found_in, real_descriptors
from pictures import Pictures
from settings import Settings
from sketch import Forms

SYNONYMS = sample.HERE / "synonyms.json"


def prompt_of(synonym):
    return synonym["text"] if synonym["kind"] else f"{synonym['text']} nebula"


def is_right(synonym, family, colour):
    """Whether a picture with this family and colour shows what the synonym means."""
    kind = synonym["kind"] or "nebula"
    kinds = lookup.FAMILIES[kind] if kind == "star cluster" else (kind,)
    return family in {FAMILIES[one] for one in kinds} and synonym["colour"] in (None, colour)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--run", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    arguments.add_argument("--real", type=int, default=60, help="real pictures for each kind")
    sample.add_sampler_options(arguments)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)

    synonyms = json.loads(SYNONYMS.read_text())
    painter = sample.Painter(*sample.load(options.run), Settings.of(options.run, options), Forms.of(options.run))
    made = np.stack([descriptor(painter.paint(prompt_of(synonym), options.side, options.seed + i))
                     for i, synonym in enumerate(synonyms)])
    real, kinds, colours, _ = real_descriptors(Pictures(options.data), options.real, options.side)
    spread = real.std(0) + 1e-6
    rows = [synonym | {"found family": family, "found colour": colour, "right": is_right(synonym, family, colour)}
            for synonym, (family, colour) in zip(synonyms, found_in(made / spread, real / spread, kinds, colours))]
    share = sum(row["right"] for row in rows) / len(rows)
    options.output.write_text(json.dumps({"right": share, "pictures": rows}, indent=1) + "\n")
    print(f"{share:.2f} of {len(rows)} synonyms paint the right kind and colour")


if __name__ == "__main__":
    main()
