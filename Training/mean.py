"""The mean of the weights of two exported folders, of which the second was trained on from the first.

    python mean.py --first DIRECTORY --second DIRECTORY --share 0.55 [--common 0.2] --output DIRECTORY

`--share` is how much the second counts; `--common`, how much it does for the path of what all tiles have in common
(cross-spatial attention and style), which few batches of a run that composes teach. What else the second folder has is kept.
After Wortsman et al. 2022, "Model soups".
"""
import argparse
import pathlib
import shutil

import safetensors.torch

from network import STYLE_PATH

COMMON = ("attention", *STYLE_PATH)


def mean(first, second, share, common):
    """The mean of two states by name, in the second's precision."""
    if first.keys() != second.keys() or any(first[name].shape != second[name].shape for name in first):
        raise SystemExit("the folders' weights are not those of one network")
    shares = {name: common if name.split(".")[0] in COMMON else share for name in second}
    return {name: first[name].float().lerp(second[name].float(), shares[name]).to(second[name].dtype).contiguous()
            for name in second}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--first", type=pathlib.Path, required=True)
    arguments.add_argument("--second", type=pathlib.Path, required=True)
    arguments.add_argument("--share", type=float, required=True)
    arguments.add_argument("--common", type=float)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    common = options.share if options.common is None else options.common
    if (options.first / "words.txt").read_bytes() != (options.second / "words.txt").read_bytes():
        raise SystemExit("the folders' words are not the same")
    if options.output.exists():
        raise SystemExit(f"{options.output}: is there already")
    made = {}
    for file in ("model.safetensors", "words.safetensors"):
        states = (safetensors.torch.load_file(folder / file) for folder in (options.first, options.second))
        made[file] = mean(*states, options.share, common)
    shutil.copytree(options.second, options.output)
    for file, state in made.items():
        safetensors.torch.save_file(state, options.output / file)


if __name__ == "__main__":
    main()
