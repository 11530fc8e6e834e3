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
HEAD = ["| model | what | seconds an evaluation: median (fastest of) | / PyTorch | / converted | peak GB |",
        "|---|---|---|---|---|---|"]


def evaluations(kind: str) -> list[str]:
    prepare(kind)
    side = 8 * CELLS[kind]

    def other(how: str, precision: str) -> dict:
        path = FOLDER / (kind if how == "torch" else f"{kind}.xml")
        # What a processor must emulate may take hours.
        limit = LIMIT if precision == "f32" or bf16_instructions() else LIMIT / 4
        command = python("evaluate.py", how, path, CELLS[kind], precision, SECONDS)
        return json.loads(call(command, limit).splitlines()[-1])

    def ours(precision: str) -> dict:
        # One tile, one module with all threads, no guidance: what the others do. Whole steps, without the first.
        report = choir(
            f"{kind}.choir.{precision}", kind, "--size", f"{side}x{side}", "--steps", STEPS[kind], "--guidance", 1,
            "--bridge", "consensus", "--modules", 1, "--precision", precision)
        return report | {"times": report["intervals"]}

    rows: dict = {}
    # The speed of a shared machine drifts, so rows take turns.
    for round in range(ROUNDS):
        for how, precision in itertools.product(["torch", "openvino", "choir"], ["f32", "bf16"]):
            if "failure" in rows.get((how, precision), {}):
                continue
            result = row(
                f"{kind}.{how}.{precision}.{round}",
                lambda: ours(precision) if how == "choir" else other(how, precision))
            before = rows.get((how, precision), {"times": []})
            rows[how, precision] = before | result | {"times": before["times"] + result.get("times", [])}
    for result in rows.values():
        if "failure" not in result:
            times = result["times"]
            result |= {"seconds": statistics.median(times), "best": min(times), "evaluations": len(times)}
    titles = {"torch": "PyTorch", "openvino": "OpenVINO, PyTorch's graph", "choir": "Choir"}
    lines = []
    for (how, precision), result in sorted(rows.items(), key=lambda item: item[0][1], reverse=True):
        computes = result.get("computes", precision)
        note = "" if computes == precision else f" (computes in {computes})"
        cells = [NAMES[kind], f"{titles[how]}, {precision}{note}"]
        if "failure" in result:
            lines.append("| " + " | ".join(cells + [result["failure"], "", "", ""]) + " |")
            continue

        def ratio(to: str) -> str:
            other = rows[to, precision]
            if "failure" in other:
                return ""
            return f"{result['seconds'] / other['seconds']:.2f} ({result['best'] / other['best']:.2f})"

        cells += [f"{result['seconds']:.2f} ({result['best']:.2f} of {result['evaluations']})", ratio("torch"),
                  ratio("openvino"), f"{result['peakResidentBytes'] / 1e9:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
