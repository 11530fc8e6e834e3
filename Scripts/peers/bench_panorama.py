"""The panorama of diffusers and Choir's with the same views, and with its own plan."""

import json

from safetensors.numpy import load_file

from rows import FOLDER, call, choir, prepare, python, row

# In the first step the engine makes ready what it has loaded, which takes it as long as one evaluation; people take 20
# steps and more, for which two cores need a quarter of an hour.
PANORAMA = dict(width=640, height=512, steps=8)


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
    own = row("panorama.choir.own", lambda: choir("panorama.choir.own", "sd15", *size, "--steps", steps))
    if failure := theirs.get("failure") or ours.get("failure") or own.get("failure"):
        return [f"Panorama: {failure}"]
    assert ours["evaluations"] == theirs["evaluations"], (ours["evaluations"], theirs["evaluations"])
    seconds = ours["timings"]["denoise"]
    lines = [
        f"Panorama of {width} x {height} pixels by SD 1.5 in f32, {steps} steps, seconds of denoising:", "",
        "| | evaluations | seconds | seconds an evaluation | peak GB |", "|---|---|---|---|---|"]
    for name, evaluations, taken, peak in [
        ("diffusers, stride 64", theirs["evaluations"], theirs["seconds"], theirs["peakResidentBytes"]),
        ("Choir, the same views", ours["evaluations"], seconds, ours["peakResidentBytes"]),
        ("Choir, its own plan", own["evaluations"], own["timings"]["denoise"], own["peakResidentBytes"]),
    ]:
        lines.append(
            f"| {name} | {evaluations} | {taken:.1f} | {taken / evaluations:.2f} | {peak / 1e9:.2f} |")
    return lines + ["", f"With the same views Choir is {theirs['seconds'] / seconds:.2f} times as fast; the largest "
                    f"difference of latents is {ours['difference']:.1e}."]
