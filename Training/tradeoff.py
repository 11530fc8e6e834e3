"""Quality against evaluations: the same prompts and seeds painted with several settings of the sampler, in one table.

    python tradeoff.py --data DIRECTORY --run DIRECTORY --output table.md [--count 1] [--settings FILE]

FILE has a line a setting: steps, guidance, start, shift and step rule as `sample.py` takes them, such as
`16,12,8,4 3,1,1.5,1 1,1,1,0.9 1,1,1,1 euler,euler,euler,euler`. An evaluation of the quarter costs a sixteenth of one
at full size, of the eighth a 64th; one with guidance is two.
The figures are those of evaluate.py: distance to real pictures (median over kinds; 1 is as good as real), and how often
the kind and the colour of the prompt are named.
"""
import argparse
import pathlib

import numpy as np
import torch

import evaluate
import sample
from descriptor import descriptor
from pictures import Pictures
from scales import REDUCTIONS
from settings import Settings
from sketch import Forms

SETTINGS = """\
32,12,16,4 3,1,1,1 1,1,1,0.9 2,0.5,0.5,0.5 euler-a,dpmpp2m,dpmpp2m,dpmpp2m
32,12,16,4 2,1,1,1 1,1,1,0.9 2,0.5,0.5,0.5 euler-a,dpmpp2m,dpmpp2m,dpmpp2m
32,12,16,4 5,1,1,1 1,1,1,0.9 2,0.5,0.5,0.5 euler-a,dpmpp2m,dpmpp2m,dpmpp2m
16,12,16,4 4,1,1,1 1,1,1,0.9 1,0.5,0.5,0.5 euler-a,dpmpp2m,dpmpp2m,dpmpp2m
"""


def evaluations(settings):
    """Evaluations per full-size tile of what is composed at the eighth, those of the coarser scales by their share of the
    area."""
    each = [count * (1 if scale == 1 else 2) for count, scale in zip(settings.steps, settings.guidance)]
    return sum(count / reduction**2 for count, reduction in zip((each[0], *each[2:]), reversed(REDUCTIONS)))


def settings_of(line):
    parts = line.split()
    if len(parts) != 5:
        raise SystemExit(f"found the setting {line!r}, expected five lists")
    try:
        return Settings(*(sample.four(kind)(part) for kind, part in zip((int, float, float, float, sample.rule), parts)))
    except (argparse.ArgumentTypeError, ValueError) as error:
        raise SystemExit(f"found the setting {line!r}: {error}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--run", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    arguments.add_argument("--prompts", type=pathlib.Path, default=sample.HERE / "prompts.txt")
    arguments.add_argument("--settings", type=pathlib.Path)
    arguments.add_argument("--count", type=int, default=1, help="pictures for each prompt")
    arguments.add_argument("--real", type=int, default=60, help="real pictures for each kind")
    arguments.add_argument("--side", type=int, default=512)
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    text = options.settings.read_text() if options.settings else SETTINGS
    parsed = [(line, settings_of(line)) for line in text.splitlines()]      # before what takes long
    torch.set_num_threads(options.threads)
    network, table = sample.load(options.run)
    real = evaluate.real_descriptors(Pictures(options.data), options.real, options.side)
    prompts = [prompt for prompt in options.prompts.read_text().splitlines() if evaluate.named(prompt)[0]]
    prompts *= options.count
    lines = ["| steps | guidance | start | shift | step rule | evaluations per tile | distance | kind | colour |",
             "|---|---|---|---|---|---:|---:|---:|---:|"]
    for line, settings in parsed:
        painter = sample.Painter(network, table, settings, Forms.of(options.run))
        made = np.stack([descriptor(painter.paint(prompt, options.side, i)) for i, prompt in enumerate(prompts)])
        found = evaluate.judge(made, prompts, *real)
        lines.append(f"| {' | '.join(part.replace(',', ' / ') for part in line.split())} "
                     f"| {evaluations(settings):.1f} | {found['median distance']:.2f} "
                     f"| {found['kind named']:.2f} | {found['colour named']:.2f} |")
        print(lines[-1], flush=True)
        options.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
