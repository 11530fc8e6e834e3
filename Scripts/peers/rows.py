"""What the parts of `make bench-peers` share: rows that are measured once, and paintings by the command line."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
CHOIR, FOLDER, TOKENIZERS = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
LIMIT = float(os.environ.get("LIMIT", 900))
NAMES = {"sd15": "SD 1.5", "sdxl": "SDXL"}


def python(script: str, *arguments) -> list[str]:
    return [sys.executable, str(HERE / script), *map(str, arguments)]


def row(name: str, run) -> dict:
    """What `run` measures, or what it measured before; why it could not, as the key `failure`."""
    file = FOLDER / f"{name}.json"
    if not file.exists():
        print(f"bench-peers: {name}", file=sys.stderr, flush=True)
        try:
            result = run()
        except subprocess.TimeoutExpired as error:
            result = {"failure": f"more than {error.timeout:.0f} s"}
        except subprocess.CalledProcessError as error:
            result = {"failure": (error.stderr or "failed").strip().splitlines()[-1]}
        file.write_text(json.dumps(result))
    return json.loads(file.read_text())


def call(command: list[str], limit: float = LIMIT) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=limit).stdout


def choir(name: str, kind: str, *arguments) -> dict:
    """The report of a painting, and as `steps` the seconds between the ends of its steps."""
    report = FOLDER / f"{name}.report.json"
    command = [CHOIR, "generate", "a red fox", "--model", str(FOLDER / kind), "--output", str(FOLDER / f"{name}.png"),
               "--report", str(report), *map(str, arguments)]
    shutil.rmtree(FOLDER / f"{name}.png.run", ignore_errors=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(LIMIT, process.kill)
    watchdog.start()
    last, moments = "", []
    for last in process.stderr:
        if " step " in last:
            moments.append(time.perf_counter())
    code = process.wait()
    if not watchdog.is_alive():
        raise subprocess.TimeoutExpired(command, LIMIT)
    watchdog.cancel()
    if code:
        raise subprocess.CalledProcessError(code, command, stderr=last)
    intervals = [after - before for before, after in itertools.pairwise(moments)]
    return json.loads(report.read_text()) | {"intervals": intervals}


def prepare(kind: str) -> None:
    if not (FOLDER / kind).exists():
        subprocess.run(python("weights.py", kind, FOLDER / kind, TOKENIZERS), check=True)
    graph = FOLDER / f"{kind}.xml"
    if not graph.exists():
        print(f"bench-peers: converting {kind}", file=sys.stderr, flush=True)
        partial = FOLDER / f"{kind}.partial.xml"
        subprocess.run(python("evaluate.py", "convert", FOLDER / kind, partial), check=True)
        partial.with_suffix(".bin").rename(graph.with_suffix(".bin"))
        partial.rename(graph)


def bf16_instructions() -> list[str]:
    text = Path("/proc/cpuinfo").read_text()
    flags = next(line for line in text.splitlines() if line.startswith("flags")).split()
    return [flag for flag in flags if flag in ("avx512_bf16", "amx_bf16")]
