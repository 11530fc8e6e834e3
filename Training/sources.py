"""The objects on training canvases: a picture at a size, in a position and in colours, and the words that a caption has."""
import colorsys

import numpy as np

import captions
from pictures import GAS, MAGNIFICATION
from scales import EIGHTH, QUARTER

# Share of the objects that are shown in other colours: of gas in another order of its own, of galaxies and stars, which are
# mostly white, tinted; and of the words that are left out, of those for a galaxy's form and of others: who asks for a galaxy
# without more hopes for arms.
RECOLOURED_GAS, RECOLOURED, UNSAID_FORM, UNSAID = 0.5, 0.4, 0.35, 0.12
# Of the mean colour of an object whose colour is told, at least: a galaxy of vivid colour is taken for gas.
SATURATIONS, OF_GALAXIES = (0.3, 0.6), (0.2, 0.4)
# How bright the faintest of the stars are that a cluster's glow becomes, the least and the most. Of a globular cluster's, a
# pixel of the quarter has two or three where the glow is white: of more, the full size would not know where they are, and
# would paint haze. The light of the others is that of a few bright stars, a third of
# which is lost beyond white.
FAINTEST_RESOLVED = {"globular cluster": (0.4, 0.6), "open cluster": (0.6, 2.5), "star field": (0.3, 1.5)}


def gains(own, word, tint, saturations, rng):
    """What the channels of an object are multiplied by, whose mean colour is `own`, so that it has the colour it is told to
    have, if that is one, at least so saturated; or the tint.

    Many pictures owe the word for their colour to a faint cast: told so, the network painted "blue galaxy" nearly white.
    """
    if word not in captions.HUES:
        return np.ones(3, "f4")
    if tint:
        _, hue, saturation = tint
    else:
        turn, saturation, _ = colorsys.rgb_to_hsv(*own)
        low, high = captions.HUES[word]
        # Reds lie on either side of 0 degrees.
        hue = np.clip((turn * 360 - low + 180) % 360 - 180 + low, low, high)
        saturation = max(saturation, rng.uniform(*saturations))
    wanted = np.array(colorsys.hsv_to_rgb(hue % 360 / 360, saturation, 1)) / (own + 1e-3)
    return (wanted / wanted.max()).astype("f4")


def any_tint(saturations, rng):
    """A word for a colour, a hue that it names, in degrees, and a saturation."""
    word = str(rng.choice(list(captions.HUES)))
    return word, rng.uniform(*captions.HUES[word]), rng.uniform(*saturations)


def recolouring(gas, saturations, rng):
    """By chance, the order of an object's channels and its tint.

    Objects of every colour are wanted, and there are few blue or green nebulae and no violet spirals.
    """
    if rng.random() >= (RECOLOURED_GAS if gas else RECOLOURED):
        return 0, None
    if gas:
        return int(rng.integers(6)), None
    return 0, any_tint(saturations, rng)


def said(words, order, tint, hidden, rng):
    """Those of an object's words that a caption has. A colour that is hidden is not among them, and one that is not the
    object's own always is: who names none wants the natural one."""
    words = [word for word in words if word not in captions.COLOURS or not (hidden or tint)] + ([tint[0]] if tint else [])
    told = lambda word: (tint or order != 0) and word in captions.COLOURS
    unsaid = lambda word: UNSAID_FORM if word in captions.FORMS else UNSAID
    return [word for word in words if rng.random() >= unsaid(word) or told(word)] or words


class Source:
    """One picture as a group of tiles shows it: a size, a turn, an order of the colours, a brightness.

    If its colours are hidden, no word tells them. Without an `order` they may be others than its own. `tint` is the word for
    a colour that it has not, the hue in degrees and the saturation. What is not `vivid` keeps a colour that its word
    exaggerates. A cluster that is shown larger than it was taken, as one that is `magnified` is at the full scale, is a glow
    that is to be resolved into stars.
    """

    def __init__(self, pictures, index, side, scale, rng, dim=1.0, hidden=False, order=None, tint=None, vivid=True,
                 magnified=False):
        self.index, self.side, self.scale = index, side, scale
        levels = pictures.pyramids[index]
        shown = side / MAGNIFICATION if magnified else side
        errors = [abs(np.log(max(level.shape[:2]) / shown)) for level in levels]
        level = int(np.argmin(errors))
        kind = pictures.texts[index]["kind"]
        saturations = OF_GALAXIES if kind == "galaxy" else SATURATIONS
        if order is None:
            order, tint = recolouring(kind in (*GAS, "planetary nebula"), saturations, rng)
        self.order, self.tint = order, tint
        self.cumulative, self.grid = pictures.places[index][level]
        self.turn, self.flip = int(rng.integers(4)), bool(rng.random() < 0.5)

        def turned(picture):
            picture = picture[..., list(captions.ORDERS[order])]
            return np.rot90(picture[:, ::-1] if self.flip else picture, self.turn)

        self.resolved = magnified or pictures.resolved(scale, index, level)
        self.faintest = np.exp(rng.uniform(*np.log(FAINTEST_RESOLVED[kind]))) if self.resolved else None
        self.picture = turned(pictures.magnified(index, level) if magnified else pictures.at(scale, index, level))
        # As the coarsest scale shows it.
        self.composed = turned(pictures.at(EIGHTH, index, level)) if scale == QUARTER else None
        brightness = np.float32(dim * rng.uniform(0.85, 1.1) / 255)
        kept = said(pictures.texts[index]["words"][order], order, tint, hidden, rng)
        own = pictures.colours[index][list(captions.ORDERS[order])]
        self.gain = brightness * (gains(own, kept[-1], tint, saturations, rng) if vivid else 1)
        self.text = pictures.text_of(kept)

    def another(self, pictures, rng):
        """An object like this one: of its kind, its form, its colours and about its size."""
        return Source(pictures, int(rng.choice(pictures.alike[self.index])), self.side * rng.uniform(0.7, 1.4), self.scale,
                      rng, order=self.order, tint=self.tint)

    def place(self, rng):
        """A place of the (turned) picture, drawn by brightness, in pixels (y, x)."""
        where = int(np.searchsorted(self.cumulative, rng.random()))
        y, x = divmod(min(where, self.grid[0] * self.grid[1] - 1), self.grid[1])
        y, x = (y + 0.5) / self.grid[0], (x + 0.5) / self.grid[1]
        if self.flip:
            x = 1 - x
        for _ in range(self.turn):
            y, x = 1 - x, y
        return int(y * self.picture.shape[0]), int(x * self.picture.shape[1])
