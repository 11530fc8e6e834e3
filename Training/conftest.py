"""What the tests of this folder share: a data folder of two small pictures, and a run of random weights."""
import json

import numpy as np
import pytest
import torch

import captions
import train

VOCABULARY = sorted({*captions.ALWAYS, *captions.COLOURS, "nebula", "open", "cluster"})


@pytest.fixture
def data(tmp_path):
    """A data folder as prepare.py writes it, of noise."""
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(1)
    arrays = {"milky way": random.integers(0, 80, (64, 96, 3), dtype="u1")}
    for picture in range(2):
        for level, side in enumerate((300, 212, 150, 106, 75, 53, 37, 26)):
            arrays[f"{picture}.{level}"] = random.integers(0, 256, (side, side, 3), dtype="u1")
    texts = [{"file": "a.png", "kind": "nebula", "words": [["nebula", "red"]] * 6},
             {"file": "b.png", "kind": "open cluster", "words": [["open", "cluster", "blue"]] * 6}]
    np.savez(folder / "pictures.npz", **arrays)
    (folder / "captions.json").write_text(json.dumps(texts))
    (folder / "vocabulary.json").write_text(json.dumps(VOCABULARY))
    return folder


@pytest.fixture
def run(tmp_path):
    """A run folder with a checkpoint of the real network's size, at random weights."""
    torch.manual_seed(3)
    folder = tmp_path / "run"
    folder.mkdir()
    model = train.Model(len(VOCABULARY))
    torch.nn.init.normal_(model.network.refine2.weight, std=0.1)     # at zero, as training begins, all pictures are grey
    torch.save({"average": model.state_dict(), "vocabulary": VOCABULARY, "step": 12, "seconds": 7200.0},
               folder / "checkpoint.pt")
    return folder
