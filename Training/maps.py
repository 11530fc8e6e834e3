"""Canvases to compose that are painted maps: parts side by side, each filled with what its cells are told.

They teach the network what `--map` and `--region` ask of it: to keep to the places, and to paint an object as large as its
place, where on other canvases one is as large as the canvas. Told all parts in every cell, they are pictures of several
elements from a plain prompt.
"""
import numpy as np
from scipy import ndimage

from pictures import CLUSTERS, COMPACT
from scales import EIGHTH
from sources import Source
from tile import CELL, Tile

SKY = 0.2                       # share of the parts that are empty
SPLIT = 0.7                     # share of the axes that are split, one of the two always
# The longest side of an object over the shorter one of its part: of one with a form, of others, and of a cluster, which is
# to fill it with stars.
FORMED, FORMLESS, STARS = (0.7, 1.3), (1.6, 3.2), (1.6, 3.0)
OFF_MIDDLE = 0.15               # how far from the middle of its part an object lies at most, over the part's side
FEATHER = (1, 6)                # deviation of the borders, in pixels
TOGETHER = 0.25                 # share of the groups whose cells are told all parts


def lengths(cells, most, split, rng):
    """The borders along one axis of so many cells, from 0 on: of up to `most` parts if it is split."""
    parts = int(rng.integers(2, most + 1)) if split else 1
    return [0, *sorted(int(cut) for cut in rng.choice(np.arange(1, cells), parts - 1, replace=False)), cells]


def layout(cells, rng):
    """The parts of a canvas, in cells: (top, bottom, left, right) each."""
    most = 2 if cells <= 4 else 3
    split = rng.random(2) < SPLIT
    if not split.any():
        split[int(rng.integers(2))] = True
    rows, columns = (lengths(cells, most, bool(axis), rng) for axis in split)
    return [(top, bottom, left, right) for top, bottom in zip(rows, rows[1:]) for left, right in zip(columns, columns[1:])]


def filling(pictures, index, side, rng):
    """An object for a part whose shorter side is so many pixels."""
    kind = pictures.texts[index]["kind"]
    low, high = STARS if kind in CLUSTERS else FORMED if kind in COMPACT else FORMLESS
    return Source(pictures, index, side * np.exp(rng.uniform(np.log(low), np.log(high))), EIGHTH, rng)


def show_object(part, index, middle, height, width, pictures, rng):
    """Lays the object of a part, so high and wide in pixels, onto a blank canvas, and returns its text. A long part has one
    like it again and again."""
    shorter = min(height, width)
    source = filling(pictures, index, shorter, rng)
    copies = max(1, round(max(height, width) / shorter))
    for copy in range(copies):
        along = (copy + 0.5) / copies - 0.5
        places = middle[0] + along * height * (height > width), middle[1] + along * width * (width >= height)
        y, x = (round(place + shorter * rng.uniform(-OFF_MIDDLE, OFF_MIDDLE)) for place in places)
        shown = source if copy == 0 else source.another(pictures, rng)
        part.add(shown, y - shown.picture.shape[0] // 2, x - shown.picture.shape[1] // 2, rng)
    return source.text


def canvas_of(palette, pictures, side, rng, empty):
    """A canvas whose parts show pictures of a palette: its light, the text of each cell, and their mean over the parts."""
    blank = lambda: Tile(side, len(pictures.vocabulary) + 1, EIGHTH)
    whole, feather, texts = blank(), rng.uniform(*FEATHER), []
    for top, bottom, left, right in layout(side // CELL, rng):
        part = blank()
        if rng.random() < SKY:
            text = empty(part)
        else:
            middle = (top + bottom) * CELL // 2, (left + right) * CELL // 2
            size = (bottom - top) * CELL, (right - left) * CELL
            text = show_object(part, int(rng.choice(palette)), middle, *size, pictures, rng)
        mask = np.zeros((side, side), "f4")
        mask[top * CELL:bottom * CELL, left * CELL:right * CELL] = 1
        mask = ndimage.gaussian_filter(mask, feather, mode="nearest")[..., None]
        whole.light += part.light * mask * (1 - whole.light)
        whole.text[:, top:bottom, left:right] = text[:, None, None]
        texts.append(text)
    return whole.light, whole.text, np.mean(texts, 0)


def group(pictures, side, rng, count, empty):
    """`count` canvases that share what they show, not where: light [count, side, side, 3] in [0, 1] and texts [count, words,
    side / CELL, side / CELL]. `empty` lays onto a blank canvas what an empty part shows, and returns its text."""
    palette = rng.choice(len(pictures.texts), 4, p=pictures.map_weights)
    lights, texts, means = zip(*(canvas_of(palette, pictures, side, rng, empty) for _ in range(count)))
    texts = np.stack(texts)
    if rng.random() < TOGETHER:
        texts[:] = np.stack(means)[:, :, None, None]
    # A gain above 1 lifts bright cores beyond white; no picture shows more than white.
    return np.stack(lights).clip(max=1), texts
