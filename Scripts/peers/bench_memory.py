"""What memory a painting of 4096 x 4096 holds, against what its plan states."""

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

from rows import CHOIR, FOLDER, NAMES, call, row

MEMORY_LIMIT = float(os.environ.get("MEMORY_LIMIT", 1800))
HEAD = ["| 4096 x 4096, f32, 2 modules | stated GB | painting GB (with mapped files) | decoding GB (with mapped files) | |",
        "|---|---|---|---|---|"]


def memory(kind: str) -> str:
    """One step at 4096 x 4096 by two modules, and the decoding, until MEMORY_LIMIT ends it."""
    side = 4096
    options = ["--model", FOLDER / kind, "--size", f"{side}x{side}", "--steps", 1, "--guidance", 1, "--bridge",
               "consensus", "--overlap", 0, "--modules", 2, "--precision", "f32"]
    options = list(map(str, options))

    def measure() -> dict:
        lines = call([CHOIR, "plan", "a red fox", *options]).splitlines()
        stated = next(float(line.split()[-2]) for line in lines if line.startswith("peak memory"))
        picture = FOLDER / f"memory.{kind}.png"
        shutil.rmtree(f"{picture}.run", ignore_errors=True)
        start = time.monotonic()
        process = subprocess.Popen(
            [CHOIR, "generate", "a red fox", "--output", str(picture), *options], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        moments: list[float] = []

        def listen() -> None:
            moments.extend(time.monotonic() for line in process.stderr if " step " in line)

        listener = threading.Thread(target=listen)
        listener.start()
        peaks = {"painting": [0, 0], "decoding": [0, 0]}
        while process.poll() is None:
            held = status(process.pid)
            peak = peaks["decoding" if moments else "painting"]
            peak[:] = [max(peak[0], held.get("VmRSS", 0)), max(peak[1], held.get("RssAnon", 0))]
            if time.monotonic() - start > MEMORY_LIMIT:
                process.kill()
            time.sleep(0.2)
        listener.join()
        end = time.monotonic()
        if process.returncode not in (0, -9):
            raise subprocess.CalledProcessError(process.returncode, "choir", stderr="choir failed")
        return {"stated": stated, "peaks": peaks, "finished": process.returncode == 0,
                "painted": moments[0] - start if moments else None, "seconds": end - start}

    result = row(f"memory.{kind}", measure)
    if "failure" in result:
        return f"| {NAMES[kind]} | {result['failure']} | | | | |"
    cells = [NAMES[kind], f"{result['stated']:.2f}"]
    for phase in ["painting", "decoding"]:
        whole, own = result["peaks"][phase]
        cells.append(f"{own / 1e9:.2f} ({whole / 1e9:.2f})" if whole else "")
    if result["finished"]:
        cells.append("finished")
    else:
        cells.append(f"stopped after {result['seconds']:.0f} s"
                     + (f", {result['seconds'] - result['painted']:.0f} s of decoding" if result["painted"] else ""))
    return "| " + " | ".join(cells) + " |"


def status(process: int) -> dict:
    """Bytes that a process holds, by the names of /proc."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith(" kB")}
