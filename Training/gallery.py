"""Paints the pictures of docs/cosmos.md with the program itself: a contact sheet, and large pictures with crops.

    python gallery.py --choir .build/release/choir --work FOLDER --output docs/images [--side 4096]

FOLDER keeps the pictures at full size; what is there already is not painted again. A large picture is shown as a whole
and, beside it, as it is: the crop whose gradients are the median of its lit crops, no chosen spot.
"""
import argparse
import json
import pathlib
import shutil
import subprocess

import numpy as np
from PIL import Image, ImageDraw

from sample import HERE, sheet

SHOWN = 512
# Name, prompt, seed, and whether it is painted from the map.
LARGE = (("nebula", "red emission nebula", 1, False), ("clusters", "golden globular clusters", 2, False),
         ("elements", "red emission nebula, golden globular clusters, spiral galaxies", 0, False),
         ("map", "dark sky with stars", 4, True))
LEGEND = {"feather": 0.04, "#000000": None, "#cc2222": "red nebula", "#2244cc": "blue nebula",
          "#ddaa22": "golden globular clusters", "#22aa66": "green nebula"}
# Painted with learned forms, and below by the network alone, with seeds from 40 on.
FORMED = ("spiral galaxy", "blue spiral galaxy", "violet spiral galaxy", "white edge-on galaxy", "blue planetary nebula",
          "supernova remnant")
EMBEDDED = HERE.parent / "Sources/ChoirModels/Resources/Cosmos"
Image.MAX_IMAGE_PIXELS = None


def draw_map(path):
    """A band of red gas from edge to edge, blue below it, two clusters, and a green patch."""
    picture = Image.new("RGB", (256, 256))
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, 40), (110, 90), (256, 60), (256, 120), (120, 150), (0, 110)], fill="#cc2222")
    draw.ellipse([110, 130, 250, 245], fill="#2244cc")
    draw.ellipse([20, 160, 90, 230], fill="#ddaa22")
    draw.ellipse([190, 5, 240, 50], fill="#22aa66")
    picture.save(path)


def paint(options, name, prompt, side, seed, *others):
    """A picture [side, side, 3] of bytes."""
    path = options.work / f"{name}.png"
    if not path.exists():
        subprocess.run([options.choir, "generate", prompt, "--size", f"{side}x{side}", "--seed", str(seed), "--output",
                        path, "--report", path.with_suffix(".json"), "--quiet", *others], check=True)
    return np.asarray(Image.open(path).convert("RGB"))


def without_forms(folder):
    """A copy of the embedded model that composes by its network alone."""
    shutil.copytree(EMBEDDED, folder, dirs_exist_ok=True)
    config = json.loads((folder / "config.json").read_text())
    del config["forms"]
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def typical_crop(picture):
    """The crop whose mean gradient is the median of those that are not nearly black."""
    side = picture.shape[0] // SHOWN
    crops = [picture[y * SHOWN:(y + 1) * SHOWN, x * SHOWN:(x + 1) * SHOWN] for y in range(side) for x in range(side)]
    lit = [crop for crop in crops if crop.mean() > 8] or crops
    steep = [np.abs(np.diff(crop.astype("f4").mean(2), axis=0)).mean() for crop in lit]
    return lit[int(np.argsort(steep)[len(lit) // 2])]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--choir", type=pathlib.Path, required=True)
    arguments.add_argument("--work", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    arguments.add_argument("--side", type=int, default=4096)
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    prompts = (HERE / "prompts.txt").read_text().splitlines()
    small = [paint(options, f"{i:03} {prompt}", prompt, SHOWN, i) for i, prompt in enumerate(prompts)]
    sheet(small, prompts).save(options.output / "contact-sheet.jpg", quality=88)

    plain = without_forms(options.work / "plain")
    shown = [paint(options, f"{title} {prompt}", prompt, SHOWN, 40 + i, *others)
             for title, others in (("formed", []), ("plain", ["--model", plain])) for i, prompt in enumerate(FORMED)]
    sheet(shown, [*FORMED, *("without forms" for _ in FORMED)]).save(options.output / "cosmos-forms.jpg", quality=88)

    draw_map(options.work / "map-of-colours.png")
    (options.work / "legend.json").write_text(json.dumps(LEGEND))
    mapped = ["--map", options.work / "map-of-colours.png", "--legend", options.work / "legend.json"]
    for name, prompt, seed, from_map in LARGE:
        picture = paint(options, name, prompt, options.side, seed, *(mapped if from_map else []))
        whole = Image.fromarray(picture).resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)
        pair = Image.new("RGB", (2 * SHOWN, SHOWN))
        pair.paste(whole, (0, 0))
        pair.paste(Image.fromarray(typical_crop(picture)), (SHOWN, 0))
        pair.save(options.output / f"cosmos-{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
