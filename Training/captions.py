"""Captions: what a picture shows, by its catalogue type or by eye, and what can be measured in it."""
import colorsys
import re

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
# What a picture shows where the catalogue does not know it, or calls it by what the object is and not by what is seen, as
# told by eye: the first names of files, after which no further digit follows.
BY_NAME = [
    ("galaxy cluster", ("coma_", "fornax_", "hercules_", "hydra_", "leo_", "perseus_", "virgo_")),
    ("star field", ("lmc_", "smc", "u9749", "ic1613", "u5373", "p3589", "m73", "n147", "n6822", "ic10", "u5470", "u6253",
                    "u10822", "p143", "p6830", "p10074", "p29653")),
    ("dark nebula", ("barnard72", "barnard142", "barnard150", "barnard173", "barnard207", "barnard22", "darkshark",
                     "ldn", "lbn782")),
    ("galaxy", ("n6946", "u9618", "u8335", "u10214", "u1810", "n672", "p2248", "u12613", "wilds")),
    ("supernova remnant", ("cas", "velasnr", "ic443", "sh2-240", "n2736", "abell85")),
    ("planetary nebula", ("abell31", "abell33", "abell39", "calabash", "red_rectangle")),
    ("open cluster", ("n7789", "n869")),
    ("nebula", ("n3293", "n3532", "n3572", "n6334", "rcw32", "rcw53", "rho-a11", "sh2-264")),
]
# Galaxies whose arms are seen, and those that are seen from their edge; the rest are ellipses, clouds, pairs and heaps.
GALAXIES = [
    ("spiral", ("m33", "m61", "m66", "m74", "m77", "m83", "m88", "m90", "m91", "m94", "m95", "m99", "m100", "m109", "n300",
                "n613", "n772", "n908", "n925", "n1097", "n1232", "n1300", "n1398", "n1433", "n1672", "n2903", "n2997",
                "n3180", "n3486", "n4395", "n4450", "n4651", "n4725", "n5248", "n5474", "n6744", "n7742", "n7793", "ic342")),
    ("edge-on", ("m31", "m65", "m98", "m102", "m104", "m108", "n55", "n134", "n253", "n891", "n1023", "n1055", "n2613",
                 "n2683", "n3109", "n3115", "n4170", "n4216", "n4236", "n4244", "n4298", "n4565", "n4945", "n6503", "n7814")),
]
FORMS = tuple(form for form, _ in GALAXIES)
COLOURS = ("red", "golden", "green", "blue", "violet", "white")
# Hues that nobody would call otherwise, in degrees, the least and the most.
HUES = {"red": (-18, 10), "golden": (28, 50), "green": (90, 145), "blue": (195, 240), "violet": (270, 310)}
# The six orders of the colour channels: a red nebula seen in another order is a blue or green one.
ORDERS = [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1)]
# Words that name an object, of which a picture may show several apart. The others say of what colour and how dense, or
# what lies everywhere.
OBJECTS = ("cluster", "edge-on", "galaxy", "globular", "nebula", "planetary", "remnant", "spiral", "supernova")
ALWAYS = ("star", "stars", "field", "dark", "deep", "sky", "sparse", "dense", "white")


def told_by_eye(label, lists):
    """The word of the list that names a picture's file, or None."""
    for word, names in lists:
        if any(re.match(name + r"(?!(?<=\d)\d)", label["file"]) for name in names):
            return word
    return None


def kind(label):
    return told_by_eye(label, BY_NAME) or KINDS.get(label["type"], "nebula")


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


def words(label, picture):
    """The words of a picture for each of the six orders of its channels."""
    base = kind(label).split()
    if kind(label) == "galaxy":
        form = told_by_eye(label, GALAXIES)
        base += [form] if form else []
    if "cluster" in base or "field" in base:
        filled = (picture.max(2) > 0.35).mean()
        base += ["dense"] if filled > 0.10 else ["sparse"] if filled < 0.025 else []
    if "field" in base:
        base += ["stars"]
    return [base + [colour(picture[..., list(order)])] for order in ORDERS]
