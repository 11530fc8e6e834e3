#!/usr/bin/env bash
# Measures what painting costs beside the network, as ratios within one run: machines differ, and these are shared.
#   bench.sh CHOIR [SIDE]      SIDE: of the smaller picture, 4096 unless given
set -euo pipefail

readonly choir=$1
readonly side=${2:-4096}
readonly prompt="red emission nebula, golden globular clusters, spiral galaxies"
folder=$(mktemp -d)
readonly folder
trap 'rm -rf "$folder"' EXIT

# paint NAME SIDE MODULES
paint() {
    "$choir" generate "$prompt" --size "$2x$2" --modules "$3" --output "$folder/$1.png" --report "$folder/$1.json" --quiet
}

paint small-1 "$side" 1
paint small-4 "$side" 4
paint small-8 "$side" 8
paint large "$((2 * side))" 4

python3 - "$folder" "$side" <<'PYTHON'
import json, sys
folder, side = sys.argv[1], int(sys.argv[2])
reports = {name: json.load(open(f"{folder}/{name}.json")) for name in ("small-1", "small-4", "small-8", "large")}
print(f"{'picture':12}{'modules':>8}{'denoise/network':>17}{'total s':>9}{'peak GB':>9}{'s/evaluation':>14}")
for name, report in reports.items():
    times = report["timings"]
    print(f"{report['size']['width']:>6}²{'':5}{report['modules']:>8}{times['denoise'] / times['network']:17.3f}"
          f"{times['total']:9.1f}{report['peakResidentBytes'] / 1e9:9.2f}{times['network'] / report['evaluations']:14.3f}")
small, large = reports["small-4"], reports["large"]
print(f"time {2 * side}² / {side}²: {large['timings']['total'] / small['timings']['total']:.2f}")
hashes = {reports[name]["pixelsSHA256"] for name in ("small-1", "small-4", "small-8")}
print(f"1, 4 and 8 modules paint {'the same pixels' if len(hashes) == 1 else 'DIFFERENT PIXELS'}")
sys.exit(len(hashes) != 1)
PYTHON
