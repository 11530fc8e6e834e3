"""One training canvas while light is added to it, and how a source is laid into it."""
import numpy as np

from scales import QUARTER, REDUCTIONS
from stars import resolve

CELL = 16


class Tile:
    def __init__(self, side, words, scale, star_width=None):
        self.scale, self.star_width = scale, star_width      # of the stars that sources are resolved into
        self.light = np.zeros((side, side, 3), "f4")
        # Of the quarter: its light as the coarsest scale shows it.
        self.composed = np.zeros_like(self.light) if scale == QUARTER else None
        self.text = np.zeros((words, side // CELL, side // CELL), "f4")
        self.weight = np.full((side // CELL, side // CELL), 1e-3, "f4")

    def add(self, source, y, x, rng):
        """Adds a source whose top left corner lies at (y, x) of the tile."""
        side = self.light.shape[0]
        height, width = source.picture.shape[:2]
        top, bottom, left, right = max(0, y), min(side, y + height), max(0, x), min(side, x + width)
        if bottom <= top or right <= left:
            return
        cut = (slice(top - y, bottom - y), slice(left - x, right - x))
        light = source.picture[cut].astype("f4") * source.gain
        told = light.mean(2) + 0.01     # of the glow, or single stars would decide what a cell is told
        if source.resolved:
            resolve(light, source.faintest, self.star_width, REDUCTIONS[self.scale], rng)
        window = self.light[top:bottom, left:right]
        window += light * (1 - window)
        if source.composed is not None:
            window = self.composed[top:bottom, left:right]
            window += source.composed[cut].astype("f4") * source.gain * (1 - window)
        share = np.zeros((side, side), "f4")
        share[top:bottom, left:right] = told
        cells = side // CELL
        share = share.reshape(cells, CELL, cells, CELL).mean((1, 3))
        self.text += source.text[:, None, None] * share
        self.weight += share


def show(tile, source, rng, margin=None):
    """Lays a source into a tile so that its middle is in sight, at least a share `margin` of the side away from the rim, or
    without one, so that a place drawn by brightness is."""
    side = tile.light.shape[0]
    if margin is not None:
        height, width = source.picture.shape[:2]
        y, x = (round(side * rng.uniform(margin, 1 - margin)) - length // 2 for length in (height, width))
        tile.add(source, y, x, rng)
    else:
        y, x = source.place(rng)
        tile.add(source, int(rng.integers(side)) - y, int(rng.integers(side)) - x, rng)
