"""Does each part of a painted map show what it was told? And are the borders between the parts soft?

    python regions.py --data DIRECTORY [--side 128] [--cut] [--output figures.json] PICTURE...

PICTURE was painted from a map of 2 x 2 parts: red nebula, blue nebula; golden globular clusters, empty star field. Each
part is cut into patches, without a margin of one sixteenth of the picture's side along the map's borders. A patch is
assigned to the kind that its five nearest real patches vote for, by nearness in the plane of Fisher's discriminants of
the four kinds (evaluate.py's vote, with descriptor.py's 54 numbers).

Real patches are composed as training canvases are, but no stars are drawn over them: an object near its middle at a random
size, turn and order of colours, or with `--cut` any bright place of it, as most patches of a part show no middle. They are
kept if the captions' rule names the wanted colour; for the star field they are what training calls one, dim stars alone.
How many of them the classifier assigns to their own kind, judged by patches of other objects, stands beside.

Black patches never count as right: where fewer than one pixel in a thousand is brighter than 0.1 (of the square root of
light), there are no stars either, so such a patch is wrong in every part, the star field included. They are also counted
on their own. Real patches that are black are not drawn on.

The edge figures are the gradient across the two lines where parts meet, over the mean of their 24 neighbours on both
sides, as `choir seams` measures tile borders: 1 is no edge. The same through the middles of the parts is the control.
"""
import argparse
import json
import pathlib

import numpy as np
from PIL import Image

import canvas
import captions
from descriptor import descriptor
from evaluate import discriminants, distances, real_picture, real_source, vote
from pictures import Pictures
from scales import FULL

PARTS = (("red nebula", "blue nebula"), ("golden globular clusters", "empty star field"))
WANTED = {"red nebula": ("nebula", "red"), "blue nebula": ("nebula", "blue"),
          "golden globular clusters": ("globular cluster", "golden")}
LIT, LIT_SHARE = 0.1, 1e-3
NEIGHBOURS = 24


def is_black(picture):
    """Whether a picture [h, w, 3] of bytes shows nothing."""
    return (np.sqrt(picture.max(2) / 255) > LIT).mean() < LIT_SHARE


def star_field(pictures, index, side, rng):
    """A canvas of dim stars alone, as training makes those that it calls star field."""
    tile = canvas.Tile(side, len(pictures.vocabulary) + 1, FULL)
    high = canvas.SIZES[FULL][1]
    stars = real_source(pictures, index, high * rng.uniform(0.5, 1.2), rng, dim=rng.uniform(0.5, 1))
    canvas.show(tile, stars, rng)
    return (tile.light.clip(0, 1) * 255 + 0.5).astype("u1")


def real_patches(pictures, count, side, cut):
    """Descriptors [N, 54] of real patches, and for each its kind and the picture it was made from. The same each time."""
    rng = np.random.default_rng(78)
    kinds = np.array([text["kind"] for text in pictures.texts])
    numbers, labels, objects = [], [], []
    for name in (name for row in PARTS for name in row):
        kind, colour = WANTED.get(name, (None, None))
        owned = np.flatnonzero(kinds == kind) if kind else np.array(pictures.starry)
        found = 0
        for attempt in range(400 * count):
            index = int(owned[attempt % len(owned)])
            patch = real_picture(pictures, index, side, rng, cut) if kind else star_field(pictures, index, side, rng)
            if is_black(patch) or (colour and captions.colour(patch.astype("f4") / 255) != colour):
                continue
            numbers.append(descriptor(patch))
            labels.append(name)
            objects.append(index)
            found += 1
            if found == count:
                break
        else:
            raise SystemExit(f"{name}: found {found} real patches, expected {count}")
    return np.stack(numbers), np.array(labels), np.array(objects)


class Classifier:
    """Assigns patches to one of the four kinds."""

    def __init__(self, numbers, labels):
        self.spread = numbers.std(0) + 1e-6
        self.axes = discriminants(numbers / self.spread, labels)
        self.real, self.labels = numbers / self.spread @ self.axes, labels

    def kinds(self, numbers):
        return [str(vote(row, self.labels)) for row in distances(numbers / self.spread @ self.axes, self.real)]


def right_of_real(numbers, labels, objects):
    """The share of real patches that are assigned to their own kind, each judged by patches of other objects."""
    right = 0
    for part in range(8):
        judged = objects % 8 == part
        found = Classifier(numbers[~judged], labels[~judged]).kinds(numbers[judged])
        right += sum(a == b for a, b in zip(found, labels[judged]))
    return right / len(labels)


def patches(picture, side):
    """The patches of each part, away from the map's borders."""
    height, width = picture.shape[:2]
    margin = min(height, width) // 16
    for row, names in enumerate(PARTS):
        for column, name in enumerate(names):
            top, left = row * (height // 2 + margin), column * (width // 2 + margin)
            down, across = (height // 2 - margin) // side, (width // 2 - margin) // side
            for y in range(down):
                for x in range(across):
                    yield name, picture[top + y * side:top + (y + 1) * side, left + x * side:left + (x + 1) * side]


def edge(picture, axis, line):
    """The gradient across a line, over the mean across its neighbours; over the whole length of the line."""
    brightness = picture.astype("f4").mean(2)
    steps = np.abs(np.diff(brightness, axis=axis)).mean(1 - axis)
    around = np.r_[steps[line - 1 - NEIGHBOURS:line - 1], steps[line:line + NEIGHBOURS]]
    return float(steps[line - 1] / (around.mean() + 1e-6))


def figures(picture, classifier, side):
    """What a painted picture [h, w, 3] of bytes gets."""
    cut = list(patches(picture, side))
    if not cut:
        raise SystemExit(f"found a picture of {picture.shape[1]}x{picture.shape[0]}, expected parts of at least {side} pixels")
    found = classifier.kinds(np.stack([descriptor(patch) for _, patch in cut]))
    confusion = {name: {} for row in PARTS for name in row}
    for (name, patch), kind in zip(cut, found):
        kind = "black" if is_black(patch) else kind
        confusion[name][kind] = confusion[name].get(kind, 0) + 1
    right = sum(row.get(name, 0) for name, row in confusion.items())
    black = sum(row.get("black", 0) for row in confusion.values())
    height, width = picture.shape[:2]
    return {"right": right / len(cut), "patches": len(cut), "black": black, "found": confusion,
            "edges": [edge(picture, 1, width // 2), edge(picture, 0, height // 2)],
            "controls": [edge(picture, axis, length * place // 4) for axis, length in ((1, width), (0, height))
                         for place in (1, 3)]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("pictures", nargs="+", type=pathlib.Path)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--side", type=int, default=128)
    arguments.add_argument("--real", type=int, default=100, help="real patches of each kind")
    arguments.add_argument("--cut", action="store_true", help="real patches show any bright place of their object")
    arguments.add_argument("--output", type=pathlib.Path)
    options = arguments.parse_args()
    numbers, labels, objects = real_patches(Pictures(options.data), options.real, options.side, options.cut)
    of_real = right_of_real(numbers, labels, objects)
    print(f"real patches that are named right: {of_real:.3f}")
    classifier = Classifier(numbers, labels)
    report = {"right of real": of_real, "pictures": {}}
    for path in options.pictures:
        row = figures(np.asarray(Image.open(path).convert("RGB")), classifier, options.side)
        report["pictures"][str(path)] = row
        print(f"{path}: {row['right']:.3f} of {row['patches']} patches right, {row['black']} black; edges "
              f"{row['edges'][0]:.2f} {row['edges'][1]:.2f}, controls {min(row['controls']):.2f} to {max(row['controls']):.2f}")
        for name, found in row["found"].items():
            print(f"  {name:26}" + ", ".join(f"{kind} {count}" for kind, count in sorted(found.items())))
    if options.output:
        options.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
