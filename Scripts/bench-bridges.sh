#!/usr/bin/env bash
# Paints the same requests with every bridge, measures the pictures as real ones are, and writes one table.
#   bench-bridges.sh CHOIR FOLDER      FOLDER gets bridges.md, bridges.jpg, and each picture with its report
#
# By default two requests at 2048 x 2048 (a prompt each, one seed) in 19 combinations: about a quarter of an hour on two
# cores with bf16, three times as long without. All can be named:
#   SIDE=2048    SEEDS="1"    STEPS= (the model's, but 8 without the coarse path, where it would take 16)
#   TILE_SIDE=256 (of the tiles whose coherence is measured)
#   REQUESTS="nebula|emission nebula" (kind and prompt, one a line)
#   BRIDGES="none consensus:uniform+attention ..."    names joined by +, and after : the weights of consensus
#   DATA=FOLDER (what Training/prepare.sh made; without it no coherence and no anchors)    PYTHON=python3 (with numpy,
#   scipy, pillow)
# A combination that is painted already in FOLDER is not painted again: so what was stopped goes on.
set -euo pipefail

readonly choir=$1 folder=$2
readonly side=${SIDE:-2048} seeds=${SEEDS:-1} steps=${STEPS:-} python=${PYTHON:-python3}
# The weights of consensus are compared where nothing else helps, and where everything does.
readonly bridges=${BRIDGES:-"
    none             none+attention             none+coarse             none+attention+coarse
    consensus:hann   consensus:hann+attention   consensus:hann+coarse   consensus:hann+attention+coarse
    shift            shift+attention            shift+coarse            shift+attention+coarse
    halo             halo+attention             halo+coarse             halo+attention+coarse
    consensus:uniform consensus:linear consensus:gaussian"}
# What real pictures each prompt is compared with, and the prompt. The first leaves the colour open: tiles have to agree.
mapfile -t requests <<<"${REQUESTS:-$'nebula|emission nebula\nglobular cluster|golden globular clusters'}"
readonly requests
mkdir -p "$folder"

# options NAME: the options of a combination. No weights are named for those that the program has by itself.
options() {
    local part
    printf -- '--bridge'
    for part in ${1//+/ }; do printf ' %s' "${part%%:*}"; done
    for part in ${1//+/ }; do
        if [[ $part == *:* && $part != *:hann ]]; then printf ' --bridge-weights %s' "${part#*:}"; fi
    done
}

for combination in $bridges; do
    for index in "${!requests[@]}"; do
        for seed in $seeds; do
            name=$folder/$combination.$index.$seed
            [[ -e $name.json ]] && continue
            rm -rf "$name.png.run"
            taken=$steps
            [[ $combination == *coarse* ]] || taken=${steps:-8}
            # The options are words, apart from each other.
            # shellcheck disable=SC2046
            "$choir" generate "${requests[index]#*|}" --size "${side}x$side" --seed "$seed" ${taken:+--steps "$taken"} \
                --output "$name.png" --report "$name.json" --quiet $(options "$combination")
        done
    done
done

export PYTHONPATH=$(dirname "$0")/../Training PYTHONDONTWRITEBYTECODE=1
"$python" - "$choir" "$folder" "$side" "${DATA:-}" "${TILE_SIDE:-256}" "$seeds" "$bridges" "${requests[@]}" <<'PYTHON'
import json, pathlib, subprocess, sys, tempfile
import numpy as np
from PIL import Image, ImageDraw

choir, folder, side, data, tile = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
seeds, combinations = sys.argv[6].split(), sys.argv[7].split()
requests = [request.split("|") for request in sys.argv[8:]]
Image.MAX_IMAGE_PIXELS = None
anchors = pictures = None
if data:
    import coherence
    from pictures import Pictures
    pictures = Pictures(pathlib.Path(data))
    anchors = coherence.Anchors(coherence.real_crops(pictures, tile))


def row(name, numbers, form):
    return f"| {name} | " + " | ".join("-" if number is None else format(number, part)
                                       for number, part in zip(numbers, form)) + " |"


def mean(values):
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else None


def worst(values):
    values = [value for value in values if value is not None]
    return max(values) if values else None


FORM = (".3f", ".3f", ".3f", ".3f", ".4f", ".2f", ".0f", ".0f", ".1f")
lines = ["| bridges | seam mean | p95 | worst | worst control | disagreement | coherence | black tiles % | evaluations "
         "| seconds |", "|---|" + "---:|" * len(FORM)]
small, shown = 256, []
for combination in combinations:
    rows = []
    for index, (kind, _) in enumerate(requests):
        for seed in seeds:
            name = f"{folder}/{combination}.{index}.{seed}"
            report = json.load(open(name + ".json"))
            picture = Image.open(name + ".png").convert("RGB")
            found = anchors.figures(np.asarray(picture), kind, tile) if anchors else {}
            steps = report.get("overlapDisagreement") or []
            seam = report["seam"]
            rows.append((seam["ratioMean"], seam["ratioP95"], seam["ratioWorst"], seam["controlWorst"],
                         mean(steps), found.get("coherence"),
                         100 * found["black tiles"] / found["tiles"] if found else None,
                         report["evaluations"], report["timings"]["denoise"]))
            if seed == seeds[0]:
                shown.append((combination, index, picture.resize((small, small), Image.Resampling.BOX)))
    columns = list(zip(*rows))
    numbers = [worst(column) if place in (2, 3) else mean(column) for place, column in enumerate(columns)]
    lines.append(row(combination.replace("+", " + ").replace(":", ", "), numbers, FORM))

if anchors:
    for kind, _ in requests:
        ratios = []
        with tempfile.TemporaryDirectory() as scratch:
            for text, levels in zip(pictures.texts, pictures.pyramids):
                if text["kind"] == kind and min(levels[0].shape[:2]) >= 3 * tile:
                    Image.fromarray(levels[0]).save(scratch + "/real.png")
                    ran = subprocess.run([choir, "seams", scratch + "/real.png", "--tile", str(tile), "--json"],
                                         check=True, capture_output=True, text=True)
                    found = json.loads(ran.stdout)
                    control = (found.get("controls") or {}).get("worst", {}).get("ratio")
                    ratios.append((found["borders"]["mean"], found["borders"]["p95"], found["borders"]["worst"]["ratio"], control))
        real = [np.mean(column) for column in list(zip(*ratios))[:2]] + [worst(column) for column in list(zip(*ratios))[2:]]
        lines.append(row(f"*{len(ratios)} real pictures: {kind}*", [*real, None, 1, None, None, None], FORM))

prompts = ", ".join(f"“{prompt}”" for _, prompt in requests)
text = f"""{prompts}; seeds {", ".join(seeds)}; {side} x {side} pixels. Means over {len(requests) * len(seeds)} pictures, but the
worst of all for the two columns of worst lines.

""" + "\n".join(lines) + "\n"
(folder / "bridges.md").write_text(text)
print(text)
across = 4
sheet = Image.new("RGB", (across * len(requests) * small, -(-len(combinations) // across) * (small + 16)))
draw = ImageDraw.Draw(sheet)
for combination, index, picture in shown:
    down, right = divmod(combinations.index(combination), across)
    x, y = (right * len(requests) + index) * small, down * (small + 16)
    sheet.paste(picture, (x, y + 16))
    if index == 0:
        draw.text((x + 4, y + 2), combination, fill="white")
sheet.save(folder / "bridges.jpg", quality=88)
PYTHON
