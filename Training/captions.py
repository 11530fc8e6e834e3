"""Captions: what a picture shows, from its catalogue type, and what can be measured in it."""
import colorsys

import numpy as np

KINDS = {
    "galaxy": "galaxy",
    "globular cluster": "globular cluster",
    "open cluster": "open cluster",
    "emission/reflection nebula": "nebula",
    "planetary nebula": "planetary nebula",
    "supernova remnant": "supernova remnant",
    "asterism": "open cluster",
}
# Rows that the catalogue does not know, by file name.
BY_NAME = [
    ("galaxy cluster", ("coma_", "fornax_", "hercules_", "hydra_", "leo_", "perseus_", "virgo_", "wilds")),
    ("star field", ("lmc_", "smc29", "u9749", "ic1613", "u5373", "p3589", "m73")),
    ("dark nebula", ("barnard72", "barnard142", "barnard150", "barnard173", "barnard207", "barnard22", "darkshark",
                     "ldn", "lbn782")),
    ("galaxy", ("n6946", "u9618", "u8335", "u10214", "u1810", "u6253", "p143", "p6830", "p29653", "n672")),
    ("supernova remnant", ("cas", "velasnr", "ic443", "sh2-240")),
    ("open cluster", ("n7789", "n869")),
]
COLOURS = ("red", "golden", "green", "blue", "violet", "white")
# Hues that nobody would call otherwise, in degrees, the least and the most.
HUES = {"red": (-18, 10), "golden": (28, 50), "green": (90, 145), "blue": (195, 240), "violet": (270, 310)}
# The six orders of the colour channels: a red nebula seen in another order is a blue or green one.
ORDERS = [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1)]
ALWAYS = ("star", "stars", "field", "dark", "deep", "sky", "sparse", "dense", "white")


def kind(label):
    for name, prefixes in BY_NAME:
        if label["file"].startswith(prefixes):
            return name
    return KINDS.get(label["type"], "nebula")


def mean_colour(picture):
    """The brightness-weighted mean colour of a float picture [h, w, 3] in [0, 1]."""
    weight = picture.max(2) ** 1.5
    return (picture * weight[..., None]).sum((0, 1)) / (weight.sum() + 1e-6)


def colour(picture):
    """The word for the mean colour of a float picture [h, w, 3] in [0, 1]."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*mean_colour(picture))
    degrees = hue * 360
    if saturation < 0.13:
        return "white"
    if degrees < 18 or degrees > 330:
        return "red"
    return "golden" if degrees < 65 else "green" if degrees < 165 else "blue" if degrees < 255 else "violet"


def elongation(picture):
    """Ratio of the axes of the light's second moments."""
    light = np.maximum(picture.mean(2) - 0.1, 0)
    y, x = np.mgrid[0:light.shape[0], 0:light.shape[1]]
    total = light.sum() + 1e-6
    dx, dy = x - (light * x).sum() / total, y - (light * y).sum() / total
    moments = np.array([[(light * dx * dx).sum(), (light * dx * dy).sum()], [(light * dx * dy).sum(), (light * dy * dy).sum()]])
    smallest, largest = np.linalg.eigvalsh(moments / total + 1e-6 * np.eye(2))
    return float((largest / max(smallest, 1e-6)) ** 0.5)


def words(label, picture):
    """The words of a picture for each of the six orders of its channels."""
    base = kind(label).split()
    if kind(label) == "galaxy":
        ratio = elongation(picture)
        base += ["edge-on"] if ratio > 1.8 else ["spiral"] if ratio < 1.35 else []
    if "cluster" in base or "field" in base:
        filled = (picture.max(2) > 0.35).mean()
        base += ["dense"] if filled > 0.10 else ["sparse"] if filled < 0.025 else []
    if "field" in base:
        base += ["stars"]
    return [base + [colour(picture[..., list(order)])] for order in ORDERS]
