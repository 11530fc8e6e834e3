"""Judges painted pictures against real ones: are they like them, and do they show what the prompt says?

    python evaluate.py --data DIRECTORY --run DIRECTORY --output figures.json [--count 4]        (paints, then judges)
    python evaluate.py --data DIRECTORY --pictures DIRECTORY --prompts FILE --output figures.json

With `--pictures`, line i of the file of prompts is what the i-th PNG, in the order of their names, was painted from: so
pictures of the Swift program can be judged as well. Prompts must name one kind in the words of the captions, and may name
one colour; other prompts are left out.

Real pictures are composed as training canvases are at full scale: an object of the kind at a random size, turn and order
of colours, its middle near the canvas's, on black or before dim stars. Pictures are compared by their descriptors (54 numbers
of colour and multi-scale gradients, see descriptor.py), each divided by its standard deviation over the real ones.

- Distance, per kind: the median, over generated pictures, of the distance to the nearest real one of that kind, over
  the same from each real picture to the nearest one made from another object. 1 is as good as real.
- Kind and colour: the vote of the five nearest real pictures (nearness weighs), by all numbers for the kind, by the
  colour numbers for the colour. The same vote on real pictures, objects of the same file left out, says how well the
  classifier itself does: kinds that differ by catalogue more than by looks are one family here.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from PIL import Image

import canvas
import captions
import sample
from descriptor import HUE, descriptor

NEAREST = 5
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
    kinds = [kind for kind in kinds if not any(kind != other and set(kind.split()) < set(other.split()) for other in kinds)]
    colours = [word for word in words if word in captions.COLOURS]
    return (kinds[0] if len(kinds) == 1 else None), (colours[0] if len(colours) == 1 else None)


def real_picture(pictures, index, side, rng):
    """A canvas [side, side, 3] of bytes that shows one object, half of the time before dim stars."""
    low, high = canvas.SIZES[canvas.FULL]
    tile = canvas.Tile(side, len(pictures.vocabulary) + 1)
    shown = [canvas.Source(pictures, index, np.exp(rng.uniform(np.log(low), np.log(high))), rng)]
    if rng.random() < 0.5:
        stars = int(rng.choice(pictures.starry))
        shown.insert(0, canvas.Source(pictures, stars, high, rng, dim=rng.uniform(0.15, 0.4)))
    for source in shown:
        # Its middle lies in the middle half of the canvas: who prompts a galaxy wants to see one, not its rim.
        height, width = source.picture.shape[:2]
        tile.add(source, *(int(rng.integers(side // 4, 3 * side // 4)) - length // 2 for length in (height, width)))
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
    nearest = np.argsort(row, kind="stable")[:NEAREST]
    shares = {}
    for i in nearest:
        shares[labels[i]] = shares.get(labels[i], 0) + 1 / (row[i] + 1e-3)
    return max(shares, key=shares.get)


def judge(made, prompts, real, kinds, colours, objects):
    """The figures of descriptors `made` [M, 54], painted from `prompts`."""
    scale = real.std(0) + 1e-6
    real, made = real / scale, made / scale
    families = np.array([FAMILIES[kind] for kind in kinds])
    among, between = distances(real, real), distances(made, real)
    colour_among, colour_between = distances(real[:, HUE], real[:, HUE]), distances(made[:, HUE], real[:, HUE])
    same = objects[:, None] == objects[None]
    among[same] = colour_among[same] = np.inf

    wanted = [named(prompt) for prompt in prompts]
    figures = {"pictures": len(made), "kinds": {}, "prompts": []}
    for i, (kind, colour) in enumerate(wanted):
        figures["prompts"].append({
            "prompt": prompts[i], "family": FAMILIES.get(kind), "colour": colour,
            "found family": str(vote(between[i], families)), "found colour": str(vote(colour_between[i], colours))})
    for kind in dict.fromkeys(kind for kind, _ in wanted if kind):
        rows, columns = [i for i, (other, _) in enumerate(wanted) if other == kind], kinds == kind
        typical = np.median(among[columns][:, columns].min(1))
        figures["kinds"][kind] = {"pictures": len(rows), "distance": float(np.median(between[rows][:, columns].min(1)) / typical)}
    judged = figures["prompts"]
    share = lambda hits: sum(hits) / len(hits) if hits else None
    figures["median distance"] = float(np.median([kind["distance"] for kind in figures["kinds"].values()]))
    figures["kind named"] = share([row["family"] == row["found family"] for row in judged if row["family"]])
    figures["colour named"] = share([row["colour"] == row["found colour"] for row in judged if row["colour"]])
    figures["kind named of real"] = share([vote(among[i], families) == families[i] for i in range(len(real))])
    figures["colour named of real"] = share([vote(colour_among[i], colours) == colours[i] for i in range(len(real))])
    return figures


def painted(options):
    """Prompts and pictures: read from a folder, or painted here."""
    if options.pictures:
        prompts = options.prompts.read_text().splitlines()
        paths = sorted(options.pictures.glob("*.png"))
        if len(paths) != len(prompts):
            raise SystemExit(f"{options.pictures}: found {len(paths)} pictures, expected one for each of {len(prompts)} prompts")
        return prompts, (np.asarray(Image.open(path).convert("RGB")) for path in paths)
    prompts = [prompt for prompt in options.prompts.read_text().splitlines() if named(prompt)[0]] * options.count
    painter = sample.Painter(*sample.load(options.run), options.steps, options.guidance, options.start)
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
    figures = judge(numbers, prompts, *real_descriptors(canvas.Pictures(options.data), options.real, options.side))
    options.output.write_text(json.dumps(figures, indent=1) + "\n")
    for kind, row in figures["kinds"].items():
        print(f"{kind:20} {row['pictures']:4} pictures   distance {row['distance']:.2f}")
    for name in ("median distance", "kind named", "colour named", "kind named of real", "colour named of real"):
        print(f"{name:24} {figures[name]:.3f}" if figures[name] is not None else f"{name:24} -")


if __name__ == "__main__":
    main()
