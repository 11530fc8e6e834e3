"""Seconds and memory of one evaluation of the UNet: PyTorch, the graph converted from it, and Choir."""

import itertools
import json
import os
import statistics

from rows import FOLDER, LIMIT, NAMES, bf16_instructions, call, choir, prepare, python, row

ROUNDS = int(os.environ.get("ROUNDS", 3))
# A tile in cells, for SD 1.5 as Choir cuts it by itself, and the seconds that its evaluations are repeated for.
CELLS = {"sd15": 64, "sdxl": int(os.environ.get("SDXL_CELLS", 64))}
SECONDS = 15
STEPS = {"sd15": 5, "sdxl": 3}
# How many tiles are evaluated at the same time: with all threads for one, or each with a share of them.
TILES = [int(count) for count in os.environ.get("TILES", "1 2").split()]
TITLES = {"torch": "PyTorch", "openvino": "OpenVINO, PyTorch's graph", "choir": "Choir"}
HEAD = ["| model | tiles | what | seconds an evaluation: median (fastest of) | / PyTorch | / converted | peak GB |",
        "|---|---|---|---|---|---|---|"]


def evaluations(kind: str) -> list[str]:
    prepare(kind)
    side = 8 * CELLS[kind]

    def other(how: str, precision: str, tiles: int) -> dict:
        path = FOLDER / (kind if how == "torch" else f"{kind}.xml")
        # What a processor must emulate may take half an hour.
        limit = LIMIT if precision == "f32" or bf16_instructions() else 4 * LIMIT
        command = python("evaluate.py", how, path, CELLS[kind], precision, SECONDS, tiles)
        return json.loads(call(command, limit).splitlines()[-1])

    def ours(precision: str, tiles: int) -> dict:
        # As many modules as tiles, which share all threads, no guidance: what the others do. Whole steps, without the
        # first.
        report = choir(
            f"{kind}.choir.{precision}", kind, "--size", f"{tiles * side}x{side}", "--tile", side, "--overlap", 0,
            "--steps", STEPS[kind], "--guidance", 1, "--bridge", "none", "--modules", tiles, "--precision", precision)
        return report | {"times": [interval / tiles for interval in report["intervals"]]}

    rows: dict = {}
    # The speed of a shared machine drifts, so rows take turns.
    for round in range(ROUNDS):
        for tiles, how, precision in itertools.product(TILES, ["torch", "openvino", "choir"], ["f32", "bf16"]):
            key = (how, precision, tiles)
            # On a processor without bf16 one tile shows enough: what emulates it, and what computes in f32 instead.
            is_enough = precision == "bf16" and not bf16_instructions() and (tiles > 1 or round > 0)
            if is_enough or "failure" in rows.get(key, {}):
                continue
            result = row(
                f"{kind}.{how}.{precision}.{tiles}.{round}",
                lambda: ours(precision, tiles) if how == "choir" else other(how, precision, tiles))
            before = rows.get(key, {"times": [], "peakResidentBytes": 0})
            rows[key] = before | result | {
                "times": before["times"] + result.get("times", []),
                "peakResidentBytes": max(before["peakResidentBytes"], result.get("peakResidentBytes", 0))}
    for result in rows.values():
        if "failure" not in result:
            times = result["times"]
            result |= {"seconds": statistics.median(times), "best": min(times), "evaluations": len(times)}
    return [line(kind, key, rows) for key in sorted(rows, key=lambda key: (key[1] == "bf16", key[2]))]


def line(kind: str, key: tuple[str, str, int], rows: dict) -> str:
    how, precision, tiles = key
    result = rows[key]
    computes = result.get("computes", precision)
    note = "" if computes == precision else f" (computes in {computes})"
    cells = [NAMES[kind], f"{tiles}", f"{TITLES[how]}, {precision}{note}"]
    if "failure" in result:
        return "| " + " | ".join(cells + [result["failure"], "", "", ""]) + " |"

    def ratio(to: str) -> str:
        other = rows[to, precision, tiles]
        if "failure" in other:
            return ""
        return f"{result['seconds'] / other['seconds']:.2f} ({result['best'] / other['best']:.2f})"

    cells += [f"{result['seconds']:.2f} ({result['best']:.2f} of {result['evaluations']})", ratio("torch"),
              ratio("openvino"), f"{result['peakResidentBytes'] / 1e9:.2f}"]
    return "| " + " | ".join(cells) + " |"
