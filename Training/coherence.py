"""How alike the distant tiles of a picture are, against distant crops of real pictures.

    python coherence.py --data DIRECTORY --kind nebula [--side 256] [--output figures.json] PICTURE...
    python coherence.py --data DIRECTORY [--side 256]                  (the anchors of all kinds alone)

A tile is described by 40 numbers of colour and texture: of each channel mean, deviation and two percentiles, hue and
saturation, the share of dark pixels, and at six sizes how steep, how spotted and how starry brightness is (the first 40
of descriptor.py). The rest of the 54 says where light lies in a picture of one object, which tiles of a canvas need not
share. Each number is divided by its standard deviation over the real crops.

Coherence is the mean distance between such descriptors over all pairs of distant tiles of a picture, divided by the same
inside real pictures of one kind: 1 is as alike as the parts of a real picture, more is a patchwork, less is monotony.
Distant means that there is at least one whole tile between two, across or down. Real pictures are those large enough for
three tiles a side, as they are, without crops that are black: what was cleaned away around an object is no part of it.
The tiles of painted pictures all count; how many are black stands beside, for a canvas that is half black is no success.
"""
import argparse
import json
import pathlib

import numpy as np
from PIL import Image

from descriptor import DARK, colour_numbers, gradient_numbers, reduced
from pictures import Pictures

# A crop is black if more of it than this is darker than 0.1 (of the square root of light).
BLACK = 0.97
# Fewer pictures of a kind than this are no anchor.
ENOUGH = 3
Image.MAX_IMAGE_PIXELS = None


def colour_and_texture(picture):
    """40 numbers of a picture [h, w, 3] of bytes."""
    picture = picture.astype("f4") / 255
    light = np.sqrt(picture)
    brightness = light.mean(2)
    numbers = colour_numbers(picture, light)
    for factor in (1, 2, 4, 8, 16, 32):
        numbers += gradient_numbers(reduced(brightness, factor))
    return np.array(numbers, "f4")


def tiles(picture, side):
    """Descriptors [N, 40] of the whole tiles of a picture, and their places [N, 2] (row, column)."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    places = [(row, column) for row in range(rows) for column in range(columns)]
    cut = (picture[row * side:(row + 1) * side, column * side:(column + 1) * side] for row, column in places)
    return np.array([colour_and_texture(tile) for tile in cut]).reshape(-1, 40), np.array(places).reshape(-1, 2)


def mean_distance(numbers, places):
    """The mean distance of descriptors over pairs of distant tiles; None if there is no such pair."""
    first, second = np.triu_indices(len(places), 1)
    distant = np.abs(places[first] - places[second]).max(1) >= 2 if len(first) else np.zeros(0, bool)
    if not distant.any():
        return None
    return float(np.linalg.norm(numbers[first[distant]] - numbers[second[distant]], axis=1).mean())


def real_crops(pictures, side):
    """For each picture of three tiles a side or more: its kind, and descriptors and places of what is not black."""
    crops = []
    for text, levels in zip(pictures.texts, pictures.pyramids):
        if min(levels[0].shape[:2]) >= 3 * side:
            numbers, places = tiles(levels[0], side)
            lit = numbers[:, DARK] <= BLACK
            crops.append((text["kind"], numbers[lit], places[lit]))
    return crops


class Anchors:
    """What painted pictures are measured by: the spread of each number, and for each kind the mean distance."""

    def __init__(self, crops):
        self.spread = np.concatenate([numbers for _, numbers, _ in crops]).std(0) + 1e-6
        self.distances = {}
        for kind, numbers, places in crops:
            distance = mean_distance(numbers / self.spread, places)
            if distance is not None:
                self.distances.setdefault(kind, []).append(distance)

    def of(self, kind):
        """The mean distance inside real pictures of a kind."""
        found = self.distances.get(kind, [])
        if len(found) < ENOUGH:
            raise SystemExit(f"{kind}: found {len(found)} real pictures that are large enough, expected {ENOUGH} or more")
        return float(np.mean(found))

    def figures(self, picture, kind, side):
        """Coherence of a painted picture [h, w, 3] of bytes, and what it comes from."""
        numbers, places = tiles(picture, side)
        distance = mean_distance(numbers / self.spread, places)
        if distance is None:
            raise SystemExit(f"found {len(places)} tiles of {side} pixels, expected three across or down")
        return {"coherence": distance / self.of(kind), "distance": distance, "tiles": len(places),
                "black tiles": int((numbers[:, DARK] > BLACK).sum())}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("pictures", nargs="*", type=pathlib.Path)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--kind", default="nebula", help="which real pictures to compare with")
    arguments.add_argument("--side", type=int, default=256)
    arguments.add_argument("--output", type=pathlib.Path)
    options = arguments.parse_args()
    anchors = Anchors(real_crops(Pictures(options.data), options.side))
    for kind, found in sorted(anchors.distances.items()):
        print(f"real {kind:20} {len(found):3} pictures   distance {np.mean(found):.2f}   "
              f"from {min(found):.2f} to {max(found):.2f}")
    figures = {"anchors": {kind: {"pictures": len(found), "distance": float(np.mean(found))}
                           for kind, found in anchors.distances.items()}, "pictures": {}}
    for path in options.pictures:
        row = anchors.figures(np.asarray(Image.open(path).convert("RGB")), options.kind, options.side)
        figures["pictures"][str(path)] = row
        print(f"{path}: coherence {row['coherence']:.3f}, distance {row['distance']:.2f}, "
              f"{row['black tiles']} of {row['tiles']} tiles black")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
