"""Judges painted pictures against real ones: are they like them, and do they show what the prompt says?

    python evaluate.py --data DIRECTORY --run DIRECTORY --output figures.json [--count 4]        (paints, then judges)
    python evaluate.py --data DIRECTORY --pictures DIRECTORY --prompts FILE --output figures.json

With `--pictures`, line i of the file of prompts is what the i-th PNG, in the order of their names, was painted from: so
pictures of the Swift program can be judged as well. A prompt counts for the kind if it names one in the words of the
captions, and for the colour if it names one.

Real pictures are composed as training canvases are at full scale, but no stars are drawn over them: an object of the kind
at a random size, turn and order of colours, its middle near the canvas's, on black or before dim stars. Pictures are
compared by their descriptors (54 numbers of colour and multi-scale gradients, see descriptor.py), each divided by its
standard deviation over the real ones.

- Distance, per kind: the median, over generated pictures, of the distance to the nearest real one of that kind, over
  the same from each real picture to the nearest one made from another object. 1 is as good as real.
- Kind and colour: the vote of the five nearest real pictures, by nearness. For the kind, nearness is measured in the
  plane of Fisher's linear discriminants of the real kinds, which weighs the numbers by how well they tell kinds apart;
  for the colour, by the three numbers of hue and saturation, against the colour that the captions' rule names in each
  real picture. Kinds that differ by catalogue more than by looks are one family. The same votes on real pictures, each
  judged by discriminants and neighbours of *other* objects, say how good the classifier itself is.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from PIL import Image
from scipy import linalg

import canvas
import captions
import sample
from descriptor import HUE, descriptor
from pictures import Pictures
from scales import FULL
from settings import Settings
from sketch import Forms
from sources import Source

NEAREST = 5
SHRINKAGE = 0.3
# Catalogue kinds that look alike at a random size: loose stars of any number, and glowing gas of any origin.
FAMILIES = {
    "galaxy": "galaxy", "galaxy cluster": "galaxy", "globular cluster": "globular cluster",
    "open cluster": "stars", "star field": "stars", "nebula": "gas", "dark nebula": "gas", "supernova remnant": "gas",
    "planetary nebula": "planetary nebula",
}


def named(prompt):
    """The kind and the colour that a prompt names in the words of the captions; None for what it does not name once."""
    words = prompt.replace(",", " ").lower().split()
    kinds = [kind for kind in FAMILIES if all(word in words for word in kind.split())]
    # "dark nebula" is more than "nebula": of kinds that contain each other, the longest.
    kinds = [kind for kind in kinds if not any(set(kind.split()) < set(other.split()) for other in kinds)]
    colours = [word for word in words if word in captions.COLOURS]
    return (kinds[0] if len(kinds) == 1 else None), (colours[0] if len(colours) == 1 else None)


def real_source(pictures, index, side, rng, dim=1.0):
    """An object as its picture shows it, but for the order of its colours: of glowing gas any in half of the cases."""
    recoloured = 0.5 if FAMILIES[pictures.texts[index]["kind"]] in ("gas", "planetary nebula") else 0.3
    order = int(rng.integers(6)) if rng.random() < recoloured else 0
    return Source(pictures, index, side, FULL, rng, dim, order=order, vivid=False)


def real_picture(pictures, index, side, rng, cut=False):
    """A canvas [side, side, 3] of bytes that shows one object, half of the time before dim stars: about its middle, or if it
    is cut, what lies around a place drawn by brightness."""
    low, high = canvas.SIZES[FULL]
    tile = canvas.Tile(side, len(pictures.vocabulary) + 1, FULL)
    shown = [real_source(pictures, index, np.exp(rng.uniform(np.log(low), np.log(high))), rng)]
    if rng.random() < 0.5:
        stars = int(rng.choice(pictures.starry))
        shown.insert(0, real_source(pictures, stars, high, rng, dim=rng.uniform(0.15, 0.4)))
    for source in shown:
        if cut:
            canvas.show(tile, source, rng)
            continue
        # Its middle lies in the middle half of the canvas: who prompts a galaxy wants to see one, not its rim.
        height, width = source.picture.shape[:2]
        y, x = (int(rng.integers(side // 4, 3 * side // 4)) - length // 2 for length in (height, width))
        tile.add(source, y, x, rng)
    return (tile.light.clip(0, 1) * 255 + 0.5).astype("u1")


def real_descriptors(pictures, per_kind, side):
    """Descriptors [N, 54], and for each its kind, colour and the picture that it was made from. The same each time."""
    rng = np.random.default_rng(77)
    kinds = np.array([text["kind"] for text in pictures.texts])
    numbers, labels = [], []
    for kind in FAMILIES:
        owned = np.flatnonzero(kinds == kind)
        for i in range(per_kind if len(owned) else 0):
            picture = real_picture(pictures, int(owned[i % len(owned)]), side, rng)
            numbers.append(descriptor(picture))
            labels.append((kind, captions.colour(picture.astype("f4") / 255), int(owned[i % len(owned)])))
    return np.stack(numbers), *(np.array(column) for column in zip(*labels))


def distances(a, b):
    return np.sqrt(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0))


def vote(row, labels):
    """The label with the largest sum of nearness among the nearest."""
    shares = {}
    for i in np.argsort(row, kind="stable")[:NEAREST]:
        shares[labels[i]] = shares.get(labels[i], 0) + 1 / (row[i] + 1e-3)
    return max(shares, key=shares.get)


def discriminants(numbers, kinds):
    """Fisher's linear discriminants [numbers, kinds - 1]: the axes along which kinds lie apart most, by their spread.

    The covariance within kinds is shrunk towards its diagonal's mean, for there are few pictures.
    """
    names = np.unique(kinds)
    means = np.stack([numbers[kinds == name].mean(0) for name in names])
    within = sum(np.cov(numbers[kinds == name].T, bias=True) for name in names) / len(names)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.eye(len(within)) * np.trace(within) / len(within)
    values, axes = linalg.eigh(np.cov(means.T, bias=True), within)
    return axes[:, np.argsort(-values)[:len(names) - 1]]


def votes(made, real, kinds):
    """The family that the nearest real pictures vote for, for each descriptor of `made`."""
    axes = discriminants(real, kinds)
    families = [FAMILIES[kind] for kind in kinds]
    return [vote(row, families) for row in distances(made @ axes, real @ axes)]


def votes_of_real(real, kinds, objects):
    """The same for the real pictures themselves, in eight parts: no part is judged by pictures of its own objects."""
    found = np.empty(len(real), object)
    for part in range(8):
        judged = objects % 8 == part
        found[judged] = votes(real[judged], real[~judged], kinds[~judged])
    return found


def found_in(made, real, kinds, colours):
    """The family and the colour that the nearest real pictures vote for, for each descriptor of `made`; descriptors are
    divided by the real ones' deviations."""
    hues = distances(made[:, HUE], real[:, HUE])
    return list(zip(votes(made, real, kinds), (str(vote(row, colours)) for row in hues)))


def judge(made, prompts, real, kinds, colours, objects):
    """The figures of descriptors `made` [M, 54], painted from `prompts`."""
    spread = real.std(0) + 1e-6
    real, made = real / spread, made / spread
    among, between = distances(real, real), distances(made, real)
    hues = distances(real[:, HUE], real[:, HUE])
    same = objects[:, None] == objects[None]
    among[same] = hues[same] = np.inf

    wanted = [named(prompt) for prompt in prompts]
    judged = [{"prompt": prompt, "family": FAMILIES.get(kind), "found family": family, "colour": colour,
               "found colour": found}
              for prompt, (kind, colour), (family, found) in zip(prompts, wanted, found_in(made, real, kinds, colours))]
    by_kind = {}
    for kind in dict.fromkeys(kind for kind, _ in wanted if kind):
        rows, columns = [i for i, (other, _) in enumerate(wanted) if other == kind], kinds == kind
        typical = np.median(among[columns][:, columns].min(1))
        distance = float(np.median(between[rows][:, columns].min(1)) / typical)
        by_kind[kind] = {"pictures": len(rows), "distance": distance}

    def right(what):
        hits = [row[what] == row[f"found {what}"] for row in judged if row[what]]
        return sum(hits) / len(hits) if hits else None

    families = [FAMILIES[kind] for kind in kinds]
    return {
        "median distance": float(np.median([row["distance"] for row in by_kind.values()])) if by_kind else None,
        "kind named": right("family"),
        "colour named": right("colour"),
        "kind named of real": float(np.mean(votes_of_real(real, kinds, objects) == families)),
        "colour named of real": float(np.mean([vote(row, colours) == colour for row, colour in zip(hues, colours)])),
        "kinds": by_kind, "pictures": judged,
    }


def painted(options):
    """Prompts and pictures: read from a folder, or painted here."""
    if options.pictures:
        prompts = options.prompts.read_text().splitlines()
        paths = sorted(options.pictures.glob("*.png"))
        if len(paths) != len(prompts):
            raise SystemExit(f"{options.pictures}: found {len(paths)} pictures, expected {len(prompts)}, one a prompt")
        return prompts, (np.asarray(Image.open(path).convert("RGB")) for path in paths)
    prompts = [prompt for prompt in options.prompts.read_text().splitlines() if named(prompt)[0]] * options.count
    painter = sample.Painter(*sample.load(options.run), Settings.of(options.run, options), Forms.of(options.run))
    return prompts, (painter.paint(prompt, options.side, options.seed + i) for i, prompt in enumerate(prompts))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    arguments.add_argument("--run", type=pathlib.Path)
    arguments.add_argument("--pictures", type=pathlib.Path)
    arguments.add_argument("--prompts", type=pathlib.Path, default=sample.HERE / "prompts.txt")
    arguments.add_argument("--count", type=int, default=4, help="pictures for each prompt")
    arguments.add_argument("--real", type=int, default=60, help="real pictures for each kind")
    sample.add_sampler_options(arguments)
    options = arguments.parse_args()
    if (options.run is None) == (options.pictures is None):
        arguments.error("give either --run or --pictures")
    torch.set_num_threads(options.threads)

    prompts, made = painted(options)
    numbers = np.stack([descriptor(picture) for picture in made])
    figures = judge(numbers, prompts, *real_descriptors(Pictures(options.data), options.real, options.side))
    options.output.write_text(json.dumps(figures, indent=1) + "\n")
    for kind, row in figures["kinds"].items():
        print(f"{kind:20} {row['pictures']:4} pictures   distance {row['distance']:.2f}")
    for name in ("median distance", "kind named", "colour named", "kind named of real", "colour named of real"):
        print(f"{name:24} {figures[name]:.3f}" if figures[name] is not None else f"{name:24} -")


if __name__ == "__main__":
    main()
