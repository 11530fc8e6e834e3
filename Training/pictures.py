"""The pictures that training canvases are made of, as `prepare.py` wrote them, and as each scale shows them."""
import json

import numpy as np
from PIL import Image
from scipy import ndimage

import captions
from scales import EIGHTH, FULL, QUARTER, REDUCTIONS
from stars import without_stars

GAS = ("nebula", "dark nebula", "supernova remnant")
COMPACT = ("galaxy", "planetary nebula", "globular cluster", "supernova remnant")     # have a form
# How often pictures are composed, against how often they are refined. The stars of clusters are the finer scales' matter, gas
# is soon learned, and galaxies without a form are mostly heaps; what has a form is composed here or nowhere.
COMPOSED_WEIGHTS = {"open cluster": 0.4, "star field": 0.4, "nebula": 0.6, "galaxy": 0.5, "spiral": 2, "edge-on": 2,
                    "planetary nebula": 1.6}
MAP_WEIGHTS = {"globular cluster": 2, "nebula": 2}      # how often as a part of a map, against how often composed
LIT = 0.3       # what the brightest of the channels reaches in 3 % of such a picture
# How many times a picture is as long as half of the longest star that is taken away from it, and as the deviation of the
# glow that the stars of clusters become: of those whose stars lie apart, none must be left as a spot of its own.
HALF_STAR, GLOWS = 100, {"globular cluster": 60, "open cluster": 30, "star field": 30}
CLUSTERS = tuple(GLOWS)
MAGNIFICATION = 4       # of a cluster that is shown larger than any picture


class Pictures:
    """The pictures' pyramids, their words for each order of the colour channels, and how often each is drawn."""

    def __init__(self, folder):
        arrays = np.load(folder / "pictures.npz")
        self.texts = json.loads((folder / "captions.json").read_text())
        self.vocabulary = json.loads((folder / "vocabulary.json").read_text())
        self.index = {word: i for i, word in enumerate(self.vocabulary)}
        self.nothing = len(self.vocabulary)     # the row that stands for "no text"
        self.pyramids = []
        for i in range(len(self.texts)):
            levels = []
            while f"{i}.{len(levels)}" in arrays:
                levels.append(arrays[f"{i}.{len(levels)}"])
            self.pyramids.append(levels)
        self.starless = {}
        self.colours = [captions.mean_colour(levels[-1] / np.float32(255)) for levels in self.pyramids]
        self.milky_way = arrays["milky way"]
        self.places = [[self.place_weights(level) for level in levels] for levels in self.pyramids]
        forms = [next((word for word in text["words"][0] if word in captions.FORMS), None) for text in self.texts]
        kinds = [text["kind"] for text in self.texts]
        self.weigh(kinds, forms)
        # Others of the same kind, form and colour: a sky of many objects shall not show one of them again and again.
        likeness = [(text["kind"], form, text["words"][0][-1]) for text, form in zip(self.texts, forms)]
        self.alike = [[j for j, other in enumerate(likeness) if other == one] for one in likeness]
        self.starry = [i for i, kind in enumerate(kinds)
                       if kind in ("open cluster", "star field", "galaxy cluster", "dark nebula")]

    def weigh(self, kinds, forms):
        """How often each picture is drawn: where it is refined, where the other tiles tell a style, where it is composed, and
        as a part of a map."""
        weights = np.array([kinds.count(kind) ** -0.5 * (1.6 if kind == "nebula" else 1) for kind in kinds])
        # The style of gas is a matter of the whole tile; stars and galaxies leave most of it black.
        gas = weights * [kind in GAS for kind in kinds]
        composed = weights * [COMPOSED_WEIGHTS.get(form or kind, 1) for form, kind in zip(forms, kinds)]
        composed *= [self.lit(levels) for levels in self.pyramids]
        mapped = composed * [MAP_WEIGHTS.get(kind, 1) for kind in kinds]
        self.weights = weights / weights.sum()
        self.gas_weights = 0.3 * self.weights + 0.7 * gas / gas.sum()
        self.composed_weights = composed / composed.sum()
        self.map_weights = mapped / mapped.sum()

    def text_of(self, words):
        """The share of each word of the vocabulary, and of no text, in a text of these words: [words + 1]."""
        text = np.zeros(len(self.vocabulary) + 1, "f4")
        for word in words:
            text[self.index[word]] += 1 / len(words)
        return text

    @staticmethod
    def lit(levels):
        """How much of a picture is more than black sky, 1 for most: others, reduced, would teach that objects are black."""
        small = min(levels, key=lambda level: abs(max(level.shape) - 64))
        return min(1, np.percentile(small.max(2), 97) / 255 / LIT)

    @staticmethod
    def place_weights(level):
        """Cumulative weights of 8 x 8 pixel places, by brightness, for choosing what a tile looks at."""
        height, width = level.shape[0] // 8, level.shape[1] // 8
        if height == 0 or width == 0:
            return np.ones(1, "f4"), (1, 1)
        light = level[:height * 8, :width * 8].reshape(height, 8, width, 8, 3).mean((1, 3, 4), dtype="f4")
        total = np.cumsum(((light + 2) ** 0.7).ravel())
        return (total / total[-1]).astype("f4"), (height, width)

    def resolved(self, scale, index, level):
        """Whether a level of a picture is, at a scale, a cluster that has stars and is larger than it was taken: they are to be
        drawn."""
        taken, shown = (max(self.pyramids[index][one].shape[:2]) for one in (0, level))
        return scale == QUARTER and self.texts[index]["kind"] in CLUSTERS and REDUCTIONS[scale] * shown > taken

    def magnified(self, index, level):
        """A level of a cluster's picture without its stars, MAGNIFICATION times as large."""
        glow = Image.fromarray(self.at(EIGHTH, index, level))
        return np.asarray(glow.resize([MAGNIFICATION * side for side in glow.size], Image.Resampling.BICUBIC))

    def at(self, scale, index, level):
        """A level of a picture, as a scale shows it. The coarser ones show objects larger than they were taken, and their
        stars would become lumps: stars before gas and galaxies are taken away, those of clusters run into a glow. What the
        quarter shows no larger than it was taken keeps its own."""
        picture, kind = self.pyramids[index][level], self.texts[index]["kind"]
        as_taken = scale == QUARTER and kind in CLUSTERS and not self.resolved(scale, index, level)
        if scale == FULL or kind == "galaxy cluster" or as_taken:
            return picture
        if (index, level) not in self.starless:
            side = max(picture.shape)
            if kind in CLUSTERS:
                made = ndimage.gaussian_filter(picture, (side / GLOWS[kind], side / GLOWS[kind], 0))
            else:
                made = without_stars(picture, 2 * round(side / HALF_STAR) + 1)
            self.starless[index, level] = made
        return self.starless[index, level]
