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

for number in $(seq "$seed"); do "$choir" seams "$folder/$number.png" --json >"$folder/$number.seams.json"; done
python3 - "$folder" "$seed" <<'PYTHON'
import bisect, json, sys
folder, count = sys.argv[1], int(sys.argv[2])
rows = [json.load(open(f"{folder}/{seed}.seams.json")) for seed in range(1, count + 1)]
print(f"{'':>8}{'borders':>32}{'all lines far from borders':>32}")
print(f"{'picture':>8}" + 2 * f"{'lines':>8}{'mean':>8}{'p95':>8}{'worst':>8}")
for seed, row in enumerate(rows, 1):
    print(f"{seed:>8}" + "".join(f"{row[part]['count']:>8}{row[part]['mean']:8.3f}{row[part]['p95']:8.3f}"
                                 f"{row[part]['worst']['ratio']:8.3f}" for part in ("borders", "controls")))
mean, p95, control95 = (sum(row[part][name] for row in rows) / count
                        for part, name in (("borders", "mean"), ("borders", "p95"), ("controls", "p95")))
worst = max(row["borders"]["worst"]["ratio"] for row in rows)


def worst_below(ratio):
    """How probable it is that the worst of as many control lines as there are borders, in each picture, is below a ratio."""
    share = 1.0
    for row in rows:
        share *= (bisect.bisect(row["controlRatios"], ratio) / row["controls"]["count"]) ** row["borders"]["count"]
    return share


control = next(ratio for ratio in sorted(ratio for row in rows for ratio in row["controlRatios"]) if worst_below(ratio) >= 0.5)
print(f"mean of all {mean:.3f} (aim 0.98 to 1.02), p95 {p95:.3f}, of controls {control95:.3f}")
print(f"worst {worst:.3f}; the worst of as many control lines, in the median of all choices, {control:.3f}: "
      f"{worst / control:.3f} (aim at most 1.05)")
print(f"pictures: {folder}")
PYTHON
