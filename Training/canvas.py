"""Training canvases: black sky, light of several pictures added up, and what the text says of each cell.

A batch is a pure function of (seed, step), so training resumes exactly without storing generator states.

Light adds: two pictures a and b together give 1 - (1 - a)(1 - b). Stars lie over nearly everything (stars.py), but the
coarsest scale shows none: there they would be noise among the forms that it composes, and the quarter adds them. Tiles come
in groups that show the same sources at unrelated places, as distant tiles of one canvas do: what one of them must know of
the others' style can reach it only through cross-spatial attention. Most of the full-size batches are made for that: large
groups of one or two sources, mostly gas, whose colours no coarser picture and no word tells.
"""
import numpy as np

import maps
from pictures import CLUSTERS, COMPACT, GAS
from scales import EIGHTH, FULL, QUARTER, REDUCTIONS
from sources import SATURATIONS, Source, any_tint, gains
from stars import STAR_WIDTHS, add_stars
from tile import CELL, Tile, show

SIZES = {FULL: (300, 1024), QUARTER: (96, 512), EIGHTH: (64, 576)}   # longest side of a source, in pixels of its scale
# On a canvas that is composed: the least, and the greatest over the canvas's side, of an object with a form, and of others.
FORMED, FORMLESS = (40, 1.5), (64, 2.25)
SHARES = (0.24, 0.36, 0.40)      # of the batches, for each scale
# Sides of tiles, how many make a batch, and how often each is drawn where a canvas is composed and where it is refined.
# Pictures of 512 pixels are composed at 64; of large ones a smaller canvas is composed, and refined at the same scale.
TILES = [(64, 32), (128, 8), (256, 2)]
COMPOSED, FINER = (0.8, 0.15, 0.05), (0.6, 0.32, 0.08)
# What a group of small tiles has in common is told by the others only; in large ones, by the tile itself as well.
ALONE = (0.5, 0.4, 0.1)
GROUP = 4
# How many objects a composed canvas is filled with: their area over its own, the least and the most, and the most of them;
# a canvas of the smallest side shows one or two.
FILLED, SPARINGLY, MOST_OBJECTS = (0.7, 2.5), (0.3, 0.9), 48
WHOLE, FORMED_WHOLE = 0.5, 0.92  # the share of these objects that lie with their middle in sight, and of those with a form
MIDDLE, ANYWHERE = 0.35, 0.1     # how far from the sides that middle lies at least, on the smallest canvas and on others
MAGNIFIED, LARGEST = 0.5, 2048   # share of the clusters at full size that are larger than any picture, and their longest side
MAPPED = 0.35                    # share of the groups of canvases to compose that are painted maps (maps.py)
REFINED = 0.2                    # share of the batches of the coarsest scale that are told what lies on a smaller canvas
STARRY = 0.85                    # share of the groups that stars lie over
# Stars a pixel of the full scale, the least and the most: over gas, over what has a form or is made of stars, which others
# would hide, and of a sky that shows nothing else. Below which such a sky is called dark, sparse, above which dense.
DENSITIES, FEW, SKY_DENSITIES = (1 / 8000, 1 / 600), (1 / 20000, 1 / 2500), (1 / 8000, 1 / 50)
DARK, SPARSE, DENSE = 1 / 2400, 1 / 1000, 1 / 150
COLOURED_SKIES = 0.3             # share of the skies of nothing else whose stars have a colour that is told
UNTOLD = 0.7                     # share of the full-size batches whose style only the other tiles tell
TINT = 0.9                       # deviation of the logarithms of the gains that colour such a group
GREYED = (0.6, 1)                # how much of its own colours such a group loses before: else lumps of others lie in its tint


def starry_sky(pictures, scale, rng, dim=(0.5, 1.0), vivid=False):
    """A picture of stars as large as a canvas, dimmed between two limits: what lies behind objects, or where there is none."""
    index, side = int(rng.choice(pictures.starry)), SIZES[scale][1] * rng.uniform(0.5, 1.2)
    return Source(pictures, index, side, scale, rng, order=0, dim=rng.uniform(*dim), vivid=vivid)


class Subject:
    """What the tiles of a group show: objects, what lies behind them, and how dense and how sharp the stars over them are."""

    def __init__(self, pictures, side, scale, rng, untold, composing):
        self.pictures, self.side, self.scale, self.untold, self.composing = pictures, side, scale, untold, composing
        count = int(rng.choice([1, 2, 3, 4], p=[0.8, 0.2, 0, 0] if untold or (composing and side == TILES[0][0])
                               else [0.45, 0.3, 0.15, 0.1]))
        self.empty = rng.random() < (0.05 if untold or composing else 0.13)
        dim = rng.uniform(0.5, 1) if untold else 1.0
        weights = pictures.gas_weights if untold else pictures.composed_weights if composing else pictures.weights
        self.main = []
        for _ in range(0 if self.empty else count):
            index = int(rng.choice(len(pictures.texts), p=weights))
            magnified = scale == FULL and pictures.texts[index]["kind"] in CLUSTERS and rng.random() < MAGNIFIED
            side = np.exp(rng.uniform(*np.log((SIZES[FULL][1], LARGEST)))) if magnified else self.draw_side(index, rng)
            self.main.append(Source(pictures, index, side, scale, rng, dim, untold, int(rng.integers(6)) if untold else None,
                                    magnified=magnified))
        self.behind = []
        if self.empty or rng.random() < (0.3 if composing else 0.8):
            self.behind.append(starry_sky(pictures, scale, rng) if self.empty
                               else starry_sky(pictures, scale, rng, (0.25, 0.8), vivid=True))
        self.density = np.exp(rng.uniform(*np.log(self.densities())))
        self.star_width = rng.uniform(*STAR_WIDTHS)
        # What the channels of all that it shows are multiplied by: a style that the others tell must be worth knowing.
        self.gains = np.exp(rng.normal(0, TINT, 3)) if untold else np.ones(3)
        self.greyed = rng.uniform(*GREYED) if untold else 0
        if self.empty:
            words = sky_words(self.density, rng)
            if scale != EIGHTH and not untold and rng.random() < COLOURED_SKIES:
                tint = any_tint(SATURATIONS, rng)
                self.gains = gains(np.ones(3), tint[0], tint, SATURATIONS, rng)
                words = [word for word in words if word != "white"] + [tint[0]]
            for source in self.behind:
                source.text = pictures.text_of(words)
        self.area = np.mean([source.side for source in self.main]) ** 2 if self.main else side * side
        self.shown = []             # what stands for `main` on a canvas that is filled with objects like it

    def densities(self):
        """The stars over it, a pixel of the full scale, the least and the most."""
        if self.empty:
            return SKY_DENSITIES
        gas = any(self.pictures.texts[source.index]["kind"] in GAS for source in self.main)
        return DENSITIES if gas else FEW

    def draw_side(self, index, rng):
        """A longest side for a picture. Canvases of few pixels are of small pictures, which shall show an object whole."""
        low, high = SIZES[self.scale]
        if self.composing:
            low, share = FORMED if self.formed(index) else FORMLESS
            high = min(high, share * self.side)
        return np.exp(rng.uniform(np.log(low), np.log(high)))

    def formed(self, index):
        """Whether a picture shows an object whose form matters, which is seen whole only."""
        return self.pictures.texts[index]["kind"] in COMPACT

    def tile(self, rng):
        """One view of it."""
        side, smallest = self.side, self.side == TILES[0][0]
        tile = Tile(side, len(self.pictures.vocabulary) + 1, self.scale, self.star_width)
        for source in self.behind:
            show(tile, source, rng)
        # A canvas that is composed is filled, with few large objects or many small ones, whole or in part.
        filled = rng.uniform(*(SPARINGLY if smallest else FILLED))
        count = int(np.clip(round(side * side / self.area * filled), 1, MOST_OBJECTS)) if self.composing else 1
        for _ in range(count + int(rng.random() < (0.15 if self.composing else 0.3))):
            if self.main and rng.random() < (1 if self.untold else 0.95):
                source = self.main[int(rng.integers(len(self.main)))]
                margin = None
                if self.composing:
                    source = source.another(self.pictures, rng)
                    self.shown.append(source)
                    if rng.random() < (FORMED_WHOLE if self.formed(source.index) else WHOLE):
                        margin = MIDDLE if smallest else ANYWHERE
                show(tile, source, rng, margin)
        return tile


def sky_words(density, rng):
    """What a sky is called that shows nothing but stars of this density."""
    words = ["dark", "deep", "sky"] if density < DARK else ["star", "field", "stars"]
    words += ["sparse"] if DARK <= density < SPARSE else ["dense"] if density > DENSE else []
    return words + (["white"] if rng.random() < 0.3 else [])


def add_glow(tiles, pictures, rng):
    """The Milky Way's light over all tiles of a group."""
    y, x = int(rng.integers(200, 700)), int(rng.integers(0, 2048))
    dim = rng.uniform(0.3, 0.9)
    for tile in tiles:
        side = tile.light.shape[0]
        window = pictures.milky_way.take(range(y, y + side), axis=0, mode="wrap")
        window = window.take(range(x, x + side), axis=1, mode="wrap")
        glow = window.astype("f4") * np.float32(dim / 255)
        tile.light += glow * (1 - tile.light)
        if tile.composed is not None:
            tile.composed += glow * (1 - tile.composed)
        x += int(rng.integers(20, 60))


def texts_of(tiles, subject, rng):
    """What each cell of the tiles is told: what it shows, or all that the group shows, or nothing."""
    pictures, untold = subject.pictures, subject.untold
    texts = [tile.text / tile.weight for tile in tiles]
    everywhere = None
    sources = subject.shown or subject.main or subject.behind
    if sources and (untold or subject.empty or rng.random() < 0.5):
        everywhere = np.mean([source.text for source in sources], 0)
    if rng.random() < (0.3 if untold else 0.1):
        everywhere = np.zeros(len(pictures.vocabulary) + 1, "f4")
        everywhere[pictures.nothing] = 1
    return texts if everywhere is None else [np.broadcast_to(everywhere[:, None, None], text.shape) for text in texts]


def group(pictures, side, scale, rng, count, untold=False, composing=False):
    """`count` tiles of one canvas: pictures [count, side, side, 3] in [0, 1], what their coarser scale shows, of the same
    shape, and texts [count, words, side/16, side/16]."""
    if composing and rng.random() < MAPPED:
        def empty(part):
            words = sky_words(np.exp(rng.uniform(*np.log(SKY_DENSITIES))), rng)
            show(part, starry_sky(pictures, scale, rng), rng)
            return pictures.text_of(words)

        light, texts = maps.group(pictures, side, rng, count, empty)
        return light, light, texts
    subject = Subject(pictures, side, scale, rng, untold, composing)
    tiles = [subject.tile(rng) for _ in range(count)]
    for tile in tiles:
        tile.light += np.float32(subject.greyed) * (tile.light.mean(2, keepdims=True) - tile.light)
    if scale != FULL and rng.random() < (0.12 if scale == QUARTER else 0.04):
        add_glow(tiles, pictures, rng)
    if scale != EIGHTH and (subject.empty or rng.random() < STARRY):
        for tile in tiles:
            add_stars(tile.light, subject.density, subject.star_width, REDUCTIONS[scale], rng)
    texts = texts_of(tiles, subject, rng)
    # A gain above 1 lifts bright cores beyond white; no picture shows more than white.
    gain = (subject.gains / subject.gains.max()).astype("f4")
    of_all = lambda lights: (np.stack(lights) * gain).clip(max=1)
    light = of_all([tile.light for tile in tiles])
    coarser = of_all([tile.composed for tile in tiles]) if scale == QUARTER else light
    return light, coarser, np.stack(texts)


def batch(pictures, seed, step, shares=SHARES):
    """The batch of a step: scale, tiles in a group, pictures [B, 3, side, side] in [-1, 1], the coarser scale's pictures of
    the same shape, or None where they are not told, and texts [B, words, side/16, side/16]."""
    rng = np.random.default_rng([seed, step])
    scale = int(rng.choice(3, p=shares))
    untold = scale == FULL and bool(rng.random() < UNTOLD)
    composing = scale == EIGHTH and bool(rng.random() >= REFINED)
    side, count = TILES[int(rng.choice(len(TILES), p=COMPOSED if composing else ALONE if untold else FINER))]
    together = min(count, int(rng.choice([16, 32])) if untold else GROUP)
    light, coarser, texts = (np.concatenate(parts) for parts in zip(
        *(group(pictures, side, scale, rng, together, untold, composing) for _ in range(count // together))))
    planes = lambda light: np.ascontiguousarray(light.transpose(0, 3, 1, 2) * 2 - 1, "f4")
    told = not composing and not untold
    return scale, together, planes(light), planes(coarser) if told else None, np.ascontiguousarray(texts, "f4")
