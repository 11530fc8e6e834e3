"""Measures one evaluation of a UNet in a process of its own, and prints it as JSON.

    python evaluate.py convert FOLDER IR.xml                    writes PyTorch's graph as OpenVINO's
    python evaluate.py torch FOLDER CELLS PRECISION SECONDS TILES
    python evaluate.py openvino IR.xml CELLS PRECISION SECONDS TILES [PROFILE.json]

TILES of CELLS x CELLS latents at the same time, which share two threads; a prompt of 77 tokens, no guidance. After
the first ones, which are not counted, evaluations go on until SECONDS have passed, twice at least; `times` are their
seconds, divided by TILES. One that takes 20 times SECONDS is the only one, and counted.
"""

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy

THREADS = 2


def inputs(is_xl: bool, cells: int) -> dict:
    random = numpy.random.default_rng(1)
    made = {
        "sample": random.standard_normal((1, 4, cells, cells)), "timestep": numpy.array([500.0]),
        "text": random.standard_normal((1, 77, 2048 if is_xl else 768))}
    if is_xl:
        made |= {"pooled": random.standard_normal((1, 1280)),
                 "sizes": numpy.array([[8 * cells, 8 * cells, 0, 0, 8 * cells, 8 * cells]])}
    return {name: value.astype(numpy.float32) for name, value in made.items()}


def torch_unet(folder: Path, dtype):
    """The UNet as a module of tensors alone."""
    import torch
    from diffusers import UNet2DConditionModel

    class UNet(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype).eval()

        def forward(self, sample, timestep, text, pooled=None, sizes=None):
            added = None if pooled is None else {"text_embeds": pooled, "time_ids": sizes}
            return self.unet(sample, timestep, text, added_cond_kwargs=added, return_dict=False)[0]

    return UNet()


def is_xl(folder: Path) -> bool:
    return json.loads((folder / "unet/config.json").read_text())["addition_embed_type"] == "text_time"


def convert(folder: Path, target: Path) -> None:
    import openvino
    import torch
    from openvino.frontend.pytorch import patch_model

    # Tracing runs the network: on a small tile, which takes a tenth of the time.
    given = {name: torch.from_numpy(value) for name, value in inputs(is_xl(folder), 16).items()}
    unet = torch_unet(folder, torch.float16)
    # As optimum does it: weights stay in 16 bits, which halves the memory, and the graph computes in f32.
    getattr(patch_model, "__make_16bit_traceable")(unet)
    with torch.no_grad():
        model = openvino.convert_model(unet, example_input=tuple(given.values()))
    openvino.save_model(model, target, compress_to_fp16=True)


def measure(evaluate, seconds: float, tiles: int) -> dict:
    """Calls `evaluate` with the number of a tile, for each tile in a thread of its own."""
    with ThreadPoolExecutor(tiles) as pool:
        def together() -> float:
            start = time.perf_counter()
            list(pool.map(evaluate, range(tiles)))
            return (time.perf_counter() - start) / tiles

        first = together()
        if first * tiles > 20 * seconds:
            # Emulated: against that, what is made ready in the first one does not matter.
            return {"times": [first]}
        times: list[float] = []
        while len(times) < 2 or sum(times) * tiles < seconds:
            times.append(together())
    return {"times": times}


def measure_torch(folder: Path, cells: int, precision: str, seconds: float, tiles: int) -> dict:
    import torch

    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    model = torch_unet(folder, dtype)
    given = [torch.from_numpy(value).to(dtype) for value in inputs(is_xl(folder), cells).values()]

    def evaluate(_: int) -> None:
        # Both are settings of the calling thread.
        torch.set_num_threads(THREADS // tiles)
        with torch.inference_mode():
            model(*given)

    return measure(evaluate, seconds, tiles)


def measure_openvino(
    path: Path, cells: int, precision: str, seconds: float, tiles: int, profile: Path | None
) -> dict:
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    given = list(inputs(len(model.inputs) == 5, cells).values())
    # Fixed shapes, as ours has them: with open ones the plugin would choose slower kernels.
    model.reshape({i: list(value.shape) for i, value in enumerate(given)})
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": tiles, "INFERENCE_NUM_THREADS": THREADS,
        "PERF_COUNT": profile is not None})
    requests = [compiled.create_infer_request() for _ in range(tiles)]
    result = measure(lambda tile: requests[tile].infer(given, share_inputs=True), seconds, tiles)
    # What the plugin made of the wish.
    result["computes"] = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if profile:
        layers = [(layer.node_type, layer.exec_type, layer.real_time.total_seconds(), layer.node_name)
                  for layer in requests[0].profiling_info]
        profile.write_text(json.dumps(layers))
    return result


def main() -> None:
    how, path = sys.argv[1], Path(sys.argv[2])
    if how == "convert":
        convert(path, Path(sys.argv[3]))
        return
    cells, precision, seconds, tiles = int(sys.argv[3]), sys.argv[4], float(sys.argv[5]), int(sys.argv[6])
    if how == "torch":
        result = measure_torch(path, cells, precision, seconds, tiles)
    else:
        result = measure_openvino(
            path, cells, precision, seconds, tiles, Path(sys.argv[7]) if len(sys.argv) > 7 else None)
    result["peakResidentBytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
