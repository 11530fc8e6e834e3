"""Measures all rows of `make bench-peers`, each in a process of its own, and writes their table.

    python bench.py CHOIR FOLDER TOKENIZERS

See Scripts/bench-peers.sh.
"""

import os
from pathlib import Path

import bench_evaluations
import bench_memory
import bench_panorama
from rows import FOLDER, bf16_instructions

KINDS = os.environ.get("KINDS", "sd15 sdxl").split()
PARTS = os.environ.get("PARTS", "evaluations panorama memory").split()


def processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    name = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    return f"{os.cpu_count()} cores of {name}; instructions for bf16: {', '.join(bf16_instructions()) or 'none'}"


def main() -> None:
    lines = [processor(), ""]
    if "evaluations" in PARTS:
        lines += [*bench_evaluations.HEAD, *(line for kind in KINDS for line in bench_evaluations.evaluations(kind)), ""]
    if "panorama" in PARTS and "sd15" in KINDS:
        lines += [*bench_panorama.panorama(), ""]
    if "memory" in PARTS:
        lines += [*bench_memory.HEAD, *(bench_memory.memory(kind) for kind in KINDS)]
    text = "\n".join(lines).rstrip() + "\n"
    (FOLDER / "peers.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
