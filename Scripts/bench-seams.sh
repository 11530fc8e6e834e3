#!/usr/bin/env bash
# Measures the visibility of tile borders at default settings, over eight prompts.
#   bench-seams.sh CHOIR [FOLDER [OPTION…]]    FOLDER: where the pictures stay to be looked at; OPTIONs of generate
set -euo pipefail

readonly choir=$1
readonly folder=${2:-$(mktemp -d)}
shift $(($# < 2 ? $# : 2))
mkdir -p "$folder"

seed=0
while read -r prompt; do
    seed=$((seed + 1))
    "$choir" generate "$prompt" --seed "$seed" --size 2048x2048 --output "$folder/$seed.png" \
        --report "$folder/$seed.json" --quiet "$@"
done <<'PROMPTS'
red emission nebula
blue nebula, stars
golden globular clusters
spiral galaxies
dense open cluster
dark nebula, golden star field
green planetary nebula
red nebula, golden globular clusters, white galaxies
PROMPTS

python3 - "$folder" "$seed" <<'PYTHON'
import json, sys
folder, count = sys.argv[1], int(sys.argv[2])
rows = [json.load(open(f"{folder}/{seed}.json"))["seam"] for seed in range(1, count + 1)]
print(f"{'picture':>8}{'mean':>8}{'p95':>8}{'worst':>8}{'worst control':>15}")
for seed, row in enumerate(rows, 1):
    print(f"{seed:>8}{row['ratioMean']:8.3f}{row['ratioP95']:8.3f}{row['ratioWorst']:8.3f}{row['controlWorst']:15.3f}")
mean = sum(row["ratioMean"] for row in rows) / count
worst, control = (max(row[name] for row in rows) for name in ("ratioWorst", "controlWorst"))
print(f"mean of all {mean:.3f} (aim 0.98 to 1.02), worst {worst:.3f} of the worst control {control:.3f}: "
      f"{worst / control:.2f} (aim at most 1.05)")
print(f"pictures: {folder}")
PYTHON
