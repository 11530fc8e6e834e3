"""Measures all rows of `make bench-peers`, each in a process of its own, and writes their table.

    python bench.py CHOIR FOLDER TOKENIZERS

See Scripts/bench-peers.sh.
"""

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from safetensors.numpy import load_file

HERE = Path(__file__).parent
CHOIR, FOLDER, TOKENIZERS = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
KINDS = os.environ.get("KINDS", "sd15 sdxl").split()
PARTS = os.environ.get("PARTS", "evaluations panorama memory").split()
LIMIT = float(os.environ.get("LIMIT", 900))
ROUNDS = int(os.environ.get("ROUNDS", 3))
MEMORY_LIMIT = float(os.environ.get("MEMORY_LIMIT", 1800))
NAMES = {"sd15": "SD 1.5", "sdxl": "SDXL"}
# A tile in cells, for SD 1.5 as Choir cuts it by itself, and the seconds that its evaluations are repeated for.
CELLS = {"sd15": 64, "sdxl": int(os.environ.get("SDXL_CELLS", 64))}
SECONDS = 15
STEPS = {"sd15": 5, "sdxl": 3}
PANORAMA = dict(width=640, height=512, steps=2)
# Steps of Choir's own plan of the same picture.
PLAN_STEPS = 4


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


def panorama() -> list[str]:
    """The same views, and then Choir's own plan."""
    prepare("sd15")
    width, height, steps = PANORAMA.values()
    file = FOLDER / "panorama.safetensors"
    theirs = row("panorama.diffusers", lambda: json.loads(call(python(
        "panorama.py", FOLDER / "sd15", width, height, steps, 1, file)).splitlines()[-1]))
    size = ["--size", f"{width}x{height}", "--precision", "f32"]

    def same() -> dict:
        latents = FOLDER / "panorama.choir.safetensors"
        report = choir("panorama.choir.same", "sd15", *size, "--noise", file, "--steps", steps, "--guidance", 7.5,
                       "--sampler", "ddim", "--bridge", "consensus", "--bridge-weights", "uniform", "--tile", 512,
                       "--overlap", 512 - 64, "--latents", latents)
        difference = load_file(latents)["latents"] - load_file(file)["latents"]
        return report | {"difference": float(abs(difference).max())}

    ours = row("panorama.choir.same", same)
    own = row("panorama.choir.own", lambda: choir("panorama.choir.own", "sd15", *size, "--steps", PLAN_STEPS))
    if failure := theirs.get("failure") or ours.get("failure") or own.get("failure"):
        return [f"Panorama: {failure}"]
    assert ours["evaluations"] == theirs["evaluations"], (ours["evaluations"], theirs["evaluations"])
    seconds = ours["timings"]["denoise"]
    lines = [
        f"Panorama of {width} x {height} pixels by SD 1.5 in f32, seconds of denoising:", "",
        "| | steps | evaluations | seconds | seconds an evaluation | peak GB |", "|---|---|---|---|---|---|"]
    for name, count, evaluations, taken, peak in [
        ("diffusers, stride 64", steps, theirs["evaluations"], theirs["seconds"], theirs["peakResidentBytes"]),
        ("Choir, the same views", steps, ours["evaluations"], seconds, ours["peakResidentBytes"]),
        ("Choir, its own plan", PLAN_STEPS, own["evaluations"], own["timings"]["denoise"], own["peakResidentBytes"]),
    ]:
        lines.append(
            f"| {name} | {count} | {evaluations} | {taken:.1f} | {taken / evaluations:.2f} | {peak / 1e9:.2f} |")
    return lines + ["", f"With the same views Choir is {theirs['seconds'] / seconds:.2f} times as fast; the largest "
                    f"difference of latents is {ours['difference']:.1e}."]


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


def bf16_instructions() -> list[str]:
    text = Path("/proc/cpuinfo").read_text()
    flags = next(line for line in text.splitlines() if line.startswith("flags")).split()
    return [flag for flag in flags if flag in ("avx512_bf16", "amx_bf16")]


def processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    name = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    return f"{os.cpu_count()} cores of {name}; instructions for bf16: {', '.join(bf16_instructions()) or 'none'}"


def main() -> None:
    lines = [processor(), ""]
    if "evaluations" in PARTS:
        lines += ["| model | what | seconds an evaluation: median (fastest of) | / PyTorch | / converted | peak GB |",
                  "|---|---|---|---|---|---|"]
        lines += [line for kind in KINDS for line in evaluations(kind)] + [""]
    if "panorama" in PARTS and "sd15" in KINDS:
        lines += panorama() + [""]
    if "memory" in PARTS:
        lines += ["| 4096 x 4096, f32, 2 modules | stated GB | painting GB (with mapped files) "
                  "| decoding GB (with mapped files) | |", "|---|---|---|---|---|"]
        lines += [memory(kind) for kind in KINDS]
    text = "\n".join(lines).rstrip() + "\n"
    (FOLDER / "peers.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
