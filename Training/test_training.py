"""Tests of the network and its training, above all that a resumed run gives the same bits."""
import json
import subprocess
import sys
from functools import partial

import pytest
import torch

import network
import train
from conftest import VOCABULARY


def run_training(monkeypatch, data, run, steps, *options):
    monkeypatch.setattr(train, "Network", partial(network.Network, widths=(8, 16, 32), blocks=(1, 1, 2), embedding=32))
    monkeypatch.setattr(sys, "argv", ["train.py", "--data", str(data), "--run", str(run), "--steps", str(steps),
                                      "--workers", "1", *options])
    train.main()
    return torch.load(run / "checkpoint.pt", weights_only=False)


def test_a_run_that_is_cut_and_resumed_gives_the_same_bits_as_one_that_is_not(monkeypatch, data, tmp_path):
    whole = run_training(monkeypatch, data, tmp_path / "whole", 6)
    first = run_training(monkeypatch, data, tmp_path / "cut", 3)
    cut = run_training(monkeypatch, data, tmp_path / "cut", 6)
    for part in ("model", "average"):
        assert not all(torch.equal(first[part][name], tensor) for name, tensor in cut[part].items())
        assert all(torch.equal(whole[part][name], tensor) for name, tensor in cut[part].items())
    moments = [state["optimizer"]["state"] for state in (whole, cut)]
    assert all(torch.equal(moments[0][i][name], moments[1][i][name]) for i in moments[0] for name in moments[0][i])
    assert whole["step"] == cut["step"] == 6 and whole["smooth"] == cut["smooth"]


def test_what_composes_full_size_can_be_trained_alone(monkeypatch, data, tmp_path):
    first, last = (run_training(monkeypatch, data, tmp_path / "run", steps, "--composed")["average"] for steps in (1, 3))
    moved = {name.split(".")[1] for name, tensor in last.items() if not torch.equal(tensor, first[name])}
    assert moved and moved <= set(network.COMPOSED_STYLING)
    with pytest.raises(SystemExit, match="trained with --composed"):
        run_training(monkeypatch, data, tmp_path / "run", 4)


def test_a_style_of_its_own_is_heard_only_where_full_size_is_composed():
    torch.manual_seed(0)
    net = network.Network().eval()
    for name in (*network.COMPOSED_STYLING[1:], "refine2"):
        torch.nn.init.normal_(getattr(net, name).weight, std=0.1)
    noisy, text, tokens = torch.randn(1, 3, 64, 64), torch.zeros(1, 64, 4, 4), torch.randn(2, 1, 2, 256)

    def moves(scale, given):
        coarse = torch.full((1, 4, 16, 16), given)
        with torch.no_grad():
            one, other = (net(noisy, coarse, torch.tensor([0.9]), torch.eye(3)[scale][None], text, heard,
                              torch.zeros(1, 2), 2)[0] for heard in tokens)
        return not torch.equal(one, other)

    assert moves(0, 0.0) and not moves(0, 1.0) and not moves(1, 0.0) and not moves(2, 0.0)


def train_as_a_user_does(data, run, steps):
    """Two workers of the real network, as processes of their own."""
    subprocess.run([sys.executable, train.__file__, "--data", data, "--run", run, "--steps", str(steps)], check=True)
    return torch.load(run / "checkpoint.pt", weights_only=False)


def test_two_workers_that_are_cut_and_resumed_give_the_same_bits_as_two_that_are_not(data, tmp_path):
    whole = train_as_a_user_does(data, tmp_path / "whole", 3)
    train_as_a_user_does(data, tmp_path / "cut", 1)
    cut = train_as_a_user_does(data, tmp_path / "cut", 3)
    for part in ("model", "average"):
        assert all(torch.equal(whole[part][name], tensor) for name, tensor in cut[part].items())


def test_a_step_of_two_workers_is_the_mean_of_their_gradients(monkeypatch, data):
    """What `mean_of_workers` makes of the tensors of two, each of which is called with the other's through a stand-in."""
    ours, theirs = [torch.ones(2, 2), torch.zeros(3)], [torch.full((2, 2), 3.0), torch.arange(3.0)]
    flat = torch.cat([tensor.reshape(-1) for tensor in theirs])
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda sum: sum.add_(flat))
    train.mean_of_workers(ours, 2)
    assert torch.equal(ours[0], torch.full((2, 2), 2.0)) and torch.equal(ours[1], torch.tensor([0, 0.5, 1]))


def test_training_refuses_to_resume_with_another_number_of_workers(monkeypatch, data, tmp_path):
    run_training(monkeypatch, data, tmp_path / "run", 1)
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=False)
    torch.save(state | {"workers": 3}, tmp_path / "run" / "checkpoint.pt")
    with pytest.raises(SystemExit, match="trained with 3 workers, found 1"):
        run_training(monkeypatch, data, tmp_path / "run", 2)


def test_training_refuses_to_resume_with_another_vocabulary(monkeypatch, data, tmp_path):
    run_training(monkeypatch, data, tmp_path / "run", 1)
    (data / "vocabulary.json").write_text(json.dumps([*VOCABULARY, "zodiac"]))
    with pytest.raises(SystemExit, match="another vocabulary"):
        run_training(monkeypatch, data, tmp_path / "run", 2)


def test_what_all_tiles_have_in_common_reaches_each_of_them():
    torch.manual_seed(0)
    net = network.Network().eval()
    for layer in (net.styling0, net.styling1, net.styling2, net.refine2):
        torch.nn.init.normal_(layer.weight, std=0.1)
    noisy, text, scale = torch.randn(1, 3, 64, 64), torch.zeros(1, 64, 4, 4), torch.eye(3)[:1]
    with torch.no_grad():
        told = [net(noisy, torch.zeros(1, 4, 16, 16), torch.tensor([0.9]), scale, text, tokens, torch.zeros(1, 2), 2)[0]
                for tokens in (torch.zeros(1, 2, 256), torch.ones(1, 2, 256))]
        published = [net(noisy + light, torch.zeros(1, 4, 16, 16), torch.tensor([0.9]), scale, text,
                         torch.zeros(1, 0, 256), torch.zeros(1, 0), 2)[1] for light in (0, 0.02)]
    assert float((told[1] - told[0]).abs().mean()) > 1e-3
    # A faint light over the whole tile, a fiftieth of the noise, is plain in what the tile publishes.
    assert float((published[1] - published[0]).abs().mean()) > 0.05


def test_the_grid_of_folds_is_found_in_lines_at_their_borders_and_not_elsewhere():
    smooth = torch.linspace(-1, 1, 32).view(1, 1, 1, 32).expand(2, 3, 32, 32)
    smooth = smooth + smooth.transpose(2, 3)
    assert float(train.grid_of(smooth)) < 1e-6
    folded = torch.arange(32) // network.UNSHUFFLE * 0.1
    assert float(train.grid_of(smooth + folded)) > 0.1
    assert float(train.grid_of(smooth + folded[:, None])) > 0.1
