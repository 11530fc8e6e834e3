"""Data of Cosmos, from Debian's package `stellarium-data`: licence filter, captions, clean-up, pyramids.

    python prepare.py --package DIRECTORY --output DIRECTORY     (DIRECTORY: where the package's files were unpacked)

Writes `pictures.npz` (pyramids of every picture that is kept), `captions.json`, `vocabulary.json` and `credits.json`.
"""
import argparse
import collections
import hashlib
import json
import pathlib

import numpy as np
from PIL import Image, ImageFilter

import captions
import licences

HERE = pathlib.Path(__file__).parent
PYRAMID_STEP = 2**-0.5
SMALLEST = 24
# Seen on the contact sheet: a mirrored fragment, labels burnt in, saturated survey plates, pictures that are almost empty.
DROPPED = {"ic883h", "n1555", "barnard_loop-4", "lmc_16", "lmc_01", "n7714", "u3697", "n104", "n3195", "n6522", "n2442",
           "n4274-dss", "cassiopeia_a"}


def rough(shape, seed):
    """Smooth noise in about [-1, 1], for edges that do not look cut."""
    small = np.random.default_rng(seed).standard_normal((7, 7)).astype("f4")
    image = Image.fromarray(small).resize((shape[1], shape[0]), Image.BICUBIC)
    return np.asarray(image)


def clean(picture, seed):
    """Takes the sky's pedestal away and fades what would be cut off at the border. Float [h, w, 3] in [0, 1]."""
    height, width = picture.shape[:2]
    band = max(4, min(height, width) // 24)
    border = np.concatenate([picture[:band].reshape(-1, 3), picture[-band:].reshape(-1, 3),
                             picture[:, :band].reshape(-1, 3), picture[:, -band:].reshape(-1, 3)])
    sky = np.minimum(np.percentile(border, 30, axis=0), 0.12)
    picture = np.clip((picture - sky) / (1 - sky), 0, 1)
    y, x = np.mgrid[0:height, 0:width].astype("f4")
    y, x = 2 * y / (height - 1) - 1, 2 * x / (width - 1) - 1
    # Most nebulae come with a rectangular vignette: replace it by an uneven oval one that lies inside.
    blurred = np.asarray(Image.fromarray((picture.mean(2) * 255).astype("u1")).filter(ImageFilter.GaussianBlur(width / 24)))
    inner = np.abs(np.maximum(np.abs(x), np.abs(y)) - 0.75) < 0.08
    fills = blurred[inner].mean() > 12
    radius = np.sqrt(x * x + y * y) if fills else np.maximum(np.abs(x), np.abs(y))
    start, end = (0.55, 0.98) if fills else (0.86, 0.99)
    fade = np.clip((end - radius + (0.14 * rough((height, width), seed) if fills else 0)) / (end - start), 0, 1)
    edge = np.clip((1 - np.maximum(np.abs(x), np.abs(y))) / 0.06, 0, 1)
    return picture * (fade * fade * (3 - 2 * fade) * edge)[..., None]


def pyramid(picture):
    """The picture and its reductions by sqrt(2), down to 24 pixels, as bytes."""
    image = Image.fromarray((picture * 255 + 0.5).astype("u1"))
    levels, side = [], float(max(image.size))
    while side >= SMALLEST:
        scale = side / max(image.size)
        size = tuple(max(8, round(s * scale)) for s in image.size)
        levels.append(np.asarray(image if scale == 1 else image.resize(size, Image.LANCZOS)))
        side *= PYRAMID_STEP
    return levels


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--package", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    folder = options.package / "usr/share/stellarium/nebulae/default"
    rows = licences.sections(options.package / "usr/share/doc/stellarium-data/CREDITS.md.gz")

    arrays, texts, credits, refused = {}, [], [], collections.Counter()
    for label in json.loads((HERE / "labels.json").read_text()):
        name = label["file"].removesuffix(".png")
        licence = licences.licence(label["credit"], rows)
        path = folder / label["file"]
        if licence is None or name in DROPPED or not path.exists():
            refused["no free licence stated" if licence is None else "dropped by eye"] += 1
            continue
        picture = np.asarray(Image.open(path).convert("RGBA").convert("RGB")).astype("f4") / 255
        if min(picture.shape[:2]) < 192 or picture.mean() < 0.008:
            refused["too small or too dark"] += 1
            continue
        picture = clean(picture, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
        for level, array in enumerate(pyramid(picture)):
            arrays[f"{len(texts)}.{level}"] = array
        texts.append({"file": label["file"], "kind": captions.kind(label), "words": captions.words(label, picture)})
        credits.append({"file": label["file"], "credit": label["credit"], "licence": licence, "source": label["url"]})
    milky_way = Image.open(options.package / "usr/share/stellarium/textures/milkyway.png").convert("RGB")
    arrays["milky way"] = np.asarray(milky_way)

    vocabulary = sorted({word for text in texts for row in text["words"] for word in row} | set(captions.ALWAYS))
    np.savez(options.output / "pictures.npz", **arrays)
    (options.output / "captions.json").write_text(json.dumps(texts))
    (options.output / "vocabulary.json").write_text(json.dumps(vocabulary))
    (options.output / "credits.json").write_text(json.dumps(credits, indent=1))
    print(f"{len(texts)} pictures kept, refused: {dict(refused)}; {len(vocabulary)} words")
    print(collections.Counter(text["kind"] for text in texts))
    print(collections.Counter(" ".join(text["words"][0]) for text in texts).most_common(30))


if __name__ == "__main__":
    main()
