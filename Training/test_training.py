"""python -m pytest, in this folder. Makes its own data of two small pictures; needs no trained weights."""
import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import types
from functools import partial

import numpy as np
import pytest
import torch

import canvas
import captions
import coherence
import descriptor
import evaluate
import export
import licences
import lookup
import mean
import network
import regions
import sample
import scales
import sources
import stars
import synonyms
import train
import words
from pictures import GAS, Pictures
from settings import Settings
from sources import Source

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


def run_training(monkeypatch, data, run, steps):
    monkeypatch.setattr(train, "Network", partial(network.Network, widths=(8, 16, 32), blocks=(1, 1, 2), embedding=32))
    monkeypatch.setattr(sys, "argv", ["train.py", "--data", str(data), "--run", str(run), "--steps", str(steps),
                                      "--workers", "1"])
    train.main()
    return torch.load(run / "checkpoint.pt", weights_only=False)


LABELS = json.loads((pathlib.Path(__file__).parent / "labels.json").read_text())


def test_what_is_told_by_eye_is_told_of_a_file():
    for word, names in captions.BY_NAME + captions.GALAXIES:
        for name in names:
            assert any(captions.told_by_eye(label, [(word, [name])]) for label in LABELS), name


def test_galaxies_that_are_told_to_have_a_form_are_galaxies():
    assert all(captions.kind(label) == "galaxy" for label in LABELS if captions.told_by_eye(label, captions.GALAXIES))


def test_a_number_is_not_the_beginning_of_a_longer_one():
    assert captions.kind({"file": "n672-vasey.png", "type": "none"}) == "galaxy"
    assert captions.kind({"file": "n6726.png", "type": "emission/reflection nebula"}) == "nebula"


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


def test_a_batch_depends_on_nothing_but_seed_and_step(data):
    pictures = Pictures(data)
    again = Pictures(data)
    for step in (0, 7):
        first = canvas.batch(pictures, 5, step)
        canvas.batch(pictures, 5, step + 1)
        second = canvas.batch(again, 5, step)
        assert first[:2] == second[:2]
        assert all(a is b is None or np.array_equal(a, b) for a, b in zip(first[2:], second[2:]))
    assert not np.array_equal(canvas.batch(pictures, 5, 0)[2], canvas.batch(pictures, 6, 0)[2])


def test_a_batch_holds_pictures_and_shares_of_words_in_range(data):
    pictures = Pictures(data)
    for step in range(12):
        scale, together, light, coarser, texts = canvas.batch(pictures, 0, step)
        assert scale in (scales.FULL, scales.QUARTER, scales.EIGHTH)
        assert coarser is None or coarser.shape == light.shape
        count, side = light.shape[0], light.shape[-1]
        assert (side, count) in canvas.TILES and count % together == 0
        assert light.shape[1:] == (3, side, side) and texts.shape[1:] == (len(VOCABULARY) + 1, side // 16, side // 16)
        # Sources are brightened by up to a tenth.
        assert light.min() >= -1 and light.max() <= 1.2 + 1e-5
        assert texts.min() >= 0 and texts.sum(1).max() <= 1 + 1e-5


def test_the_coarsest_scale_shows_no_stars_and_the_quarter_adds_them(monkeypatch, data):
    pictures = Pictures(data)
    starry = 0
    for seed in range(6):
        light, coarser, _ = canvas.group(pictures, 64, scales.QUARTER, np.random.default_rng(seed), 2)
        starry += (light > coarser + 0.02).any()
        light, coarser, _ = canvas.group(pictures, 64, scales.FULL, np.random.default_rng(seed), 2)
        assert np.array_equal(light, coarser)
    assert starry >= 4
    monkeypatch.setattr(canvas, "add_stars", None)      # not called
    for seed in range(6):
        light, coarser, _ = canvas.group(pictures, 64, scales.EIGHTH, np.random.default_rng(seed), 2)
        assert np.array_equal(light, coarser)       # what a smaller canvas of the same scale shows


def test_an_object_with_a_form_is_composed_whole_and_in_the_middle(data):
    pictures = Pictures(data)
    for kind, (least, share) in (("galaxy", canvas.FORMED), ("nebula", canvas.FORMLESS)):
        for text in pictures.texts:
            text["kind"] = kind
        subjects = [canvas.Subject(pictures, 64, scales.EIGHTH, np.random.default_rng(seed), False, True) for seed in range(30)]
        sides = [source.side for subject in subjects for source in subject.main]
        assert least <= min(sides) and max(sides) <= share * 64
    middles = []

    class Watched(canvas.Tile):
        def add(self, source, y, x):
            middles.append((y + source.picture.shape[0] // 2, x + source.picture.shape[1] // 2))

    source = Source(pictures, 0, 50, scales.EIGHTH, np.random.default_rng(0))
    for seed in range(30):
        canvas.show(Watched(64, 3, scales.EIGHTH), source, np.random.default_rng(seed), canvas.MIDDLE)
    assert np.min(middles) >= 22 and np.max(middles) <= 42 and np.ptp(middles, 0).min() > 10


def test_a_style_that_the_other_tiles_must_tell_is_told_by_no_colour(data):
    pictures = Pictures(data)
    for seed in range(6):
        light, _, texts = canvas.group(pictures, 64, scales.FULL, np.random.default_rng(seed), 4, untold=True)
        assert light.shape == (4, 64, 64, 3)
        assert all(np.array_equal(text, texts[0]) for text in texts)
        assert all(texts[0, pictures.index[colour]].max() == 0 for colour in ("red", "blue"))


def shown_and_told(pictures, seed, **options):
    """The word for the colour that an object is shown in, and those that it is told."""
    source = Source(pictures, 1, 100, scales.EIGHTH, np.random.default_rng(seed), **options)
    light = (source.picture * source.gain).clip(0, 1)
    return captions.colour(light), [word for word in captions.COLOURS if source.text[pictures.index[word]]]


def test_an_object_has_the_colour_that_it_is_told_to_have(data):
    pictures = Pictures(data)
    pictures.texts[1]["words"] = [["open", "cluster", "blue"]] * 6
    found = [shown_and_told(pictures, seed) for seed in range(200)]
    assert all(told in ([], [shown]) for shown, told in found)
    assert {told[0] for _, told in found if told} == set(captions.HUES)


def test_an_object_whose_colour_is_not_told_keeps_its_own(data):
    pictures = Pictures(data)      # of noise, which is white
    pictures.texts[1]["words"] = [["open", "cluster", "white"]] * 6
    assert all(shown_and_told(pictures, seed, order=0)[0] == "white" for seed in range(10))
    pictures.texts[1]["words"] = [["open", "cluster", "blue"]] * 6
    found = [shown_and_told(pictures, seed, order=0) for seed in range(100)]
    assert {shown for shown, told in found if not told} == {"white"}
    assert {shown for shown, told in found if told} == {"blue"}
    assert all(shown_and_told(pictures, seed, order=0, vivid=False)[0] == "white" for seed in range(10))


def test_objects_like_a_tinted_one_have_its_colour(data):
    pictures = Pictures(data)
    source = Source(pictures, 1, 100, scales.EIGHTH, np.random.default_rng(0), order=0, tint=("green", 120, 0.5))
    for seed in range(5):
        another = source.another(pictures, np.random.default_rng(seed))
        assert captions.colour((another.picture * another.gain).clip(0, 1)) == "green"


def test_a_dim_picture_is_composed_less():
    dark, half, light = (np.full((64, 64, 3), level, "u1") for level in (0, 38, 255))
    assert Pictures.lit([dark]) == 0 and 0.4 < Pictures.lit([half]) < 0.6 and Pictures.lit([light]) == 1


def test_the_form_of_a_galaxy_is_left_out_more_often_than_other_words():
    rng = np.random.default_rng(0)
    found = [sources.said(["galaxy", "spiral", "red"], 0, None, False, rng) for _ in range(1000)]
    left_out = {word: np.mean([word not in words for words in found]) for word in ("galaxy", "spiral", "red")}
    assert abs(left_out["spiral"] - sources.UNSAID_FORM) < 0.05
    assert abs(left_out["galaxy"] - sources.UNSAID) < 0.05 and abs(left_out["red"] - sources.UNSAID) < 0.05


def test_canvases_and_network_have_the_same_scales_and_cells():
    assert canvas.CELL == network.CELL and scales.REDUCTIONS[scales.QUARTER] == network.COARSE


def test_coarser_scales_see_the_mean_light_of_stars():
    means = []
    for factor in scales.REDUCTIONS:
        light = np.zeros((512 // factor, 512 // factor, 3), "f4")
        stars.add_stars(light, 1 / 200, 0.75, factor, np.random.default_rng(0))
        assert 0 < light.max() <= 1
        means.append(light.mean())
    assert means[1:] == pytest.approx([means[0]] * 2, rel=0.12)


def test_a_pixel_of_a_coarser_scale_has_the_light_of_a_star_that_its_pixels_have():
    place = np.array([[37.3], [26.6]])      # from the first row and column, in pixels of the full scale
    one = lambda factor: types.SimpleNamespace(poisson=lambda mean: 1, uniform=lambda low, high, shape: place / factor,
                                               random=lambda count: np.full(count, 0.5), normal=lambda *_: np.zeros(1))
    fine, coarse = np.zeros((64, 64, 3), "f4"), np.zeros((16, 16, 3), "f4")
    stars.add_stars(fine, 1, 0.75, 1, one(1))
    stars.add_stars(coarse, 1, 0.75, 4, one(4))
    assert 0.1 < fine.max() < 1 and coarse[..., 0].argmax() == 9 * 16 + 6
    # The halo ends MARGIN pixels from the star at full size, and with a whole pixel at the quarter.
    assert coarse == pytest.approx(fine.reshape(16, 4, 16, 4, 3).mean((1, 3)), abs=1e-3 * float(coarse.max()))


def test_stars_lie_over_the_light_that_is_there():
    light = np.full((64, 64, 3), 0.5, "f4")
    stars.add_stars(light, 1 / 100, 0.75, 1, np.random.default_rng(0))
    assert light.min() >= 0.5 and 0.9 < light.max() <= 1
    untouched = np.full((8, 8, 3), 0.5, "f4")
    stars.add_stars(untouched, 0, 0.75, 1, np.random.default_rng(0))
    assert (untouched == 0.5).all()


def test_spots_are_taken_away_and_filaments_stay():
    picture = np.full((40, 40, 3), 30, "u1")
    picture[10:14, 10:14] = 200
    picture[25:27, 5:35] = 90
    assert (stars.without_stars(picture, 5)[10:14, 10:14] == 30).all()
    assert (stars.without_stars(picture, 5)[25:27, 5:35] == 90).all()
    assert (stars.without_stars(picture, 3)[10:14, 10:14] == 200).all()


def test_coarser_scales_show_gas_without_its_stars(data):
    pictures = Pictures(data)
    for index, text in enumerate(pictures.texts):
        picture = pictures.pyramids[index][0]
        assert pictures.at(scales.FULL, index, 0) is picture
        seen = pictures.at(scales.EIGHTH, index, 0)
        assert seen.shape == picture.shape and seen.dtype == picture.dtype
        if text["kind"] in GAS:
            inner = (slice(8, -8), slice(8, -8))      # at the rim, lines of pixels go on as in a mirror
            assert (seen <= picture)[inner].all() and (seen < picture).any()


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


CREDITS = """
 3. Other things
4. Graphics
   4.1 Something from Zed
       License: public domain
   4.7 Some pictures from Alice Archer
       License: Creative Commons Attribution 4.0 International
       https://example.org
   4.8 Other pictures from Bob Baker
       License: Creative Commons Attribution-Noncommercial 3.0
   4.9a Early pictures from Carol Cook
       License: public domain
   4.9b Late pictures from Carol Cook
       License: GNU Free Documentation License
   4.10 Pictures from Dan Dyer
       License: permission given to "use the image freely"
## Appendix
   4.11 Pictures from Eve Early
       License: public domain
"""


@pytest.mark.parametrize("credit, stated", [
    ("Alice Archer", "Creative Commons Attribution 4.0 International"),
    (" Alice Archer ", "Creative Commons Attribution 4.0 International"),
    ("Dan Dyer", 'permission given to "use the image freely'),
    ("Bob Baker", None),        # no commercial use
    ("Carol Cook", None),       # one of two sections is not free
    ("Alice", "Creative Commons Attribution 4.0 International"),
    ("Alic", None),             # not a whole name
    ("Eve Early", None),        # outside of section 4
    ("Nobody", None),
    ("", None),
])
def test_a_licence_counts_if_every_section_that_names_the_credit_states_a_free_one(tmp_path, credit, stated):
    with gzip.open(tmp_path / "CREDITS.md.gz", "wt") as file:
        file.write(CREDITS)
    assert licences.licence(credit, licences.sections(tmp_path / "CREDITS.md.gz")) == stated


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


def run_export(monkeypatch, run, output, mixtures):
    monkeypatch.setattr(sys, "argv", ["export.py", "--run", str(run), "--output", str(output),
                                      "--mixtures", str(mixtures)])
    export.main()


def test_an_export_reads_back_as_the_averaged_weights_and_has_the_same_bytes_each_time(monkeypatch, run, tmp_path):
    rows = np.eye(len(VOCABULARY))[[*range(len(VOCABULARY)), VOCABULARY.index("red")]]
    table = words.Mixtures(VOCABULARY, [*VOCABULARY, "crimson"], rows, np.append(np.ones(len(VOCABULARY)), 0.5))
    table.save(tmp_path / "mixtures.npz")
    for name in ("first", "second"):
        run_export(monkeypatch, run, tmp_path / name, tmp_path / "mixtures.npz")
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert files == ["config.json", "model.safetensors", "words.safetensors", "words.txt"]
    assert all((tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes() for name in files)
    assert sum(path.stat().st_size for path in (tmp_path / "first").iterdir()) < 25e6

    average = torch.load(run / "checkpoint.pt", weights_only=False)["average"]
    net, prompts = sample.load(tmp_path / "first")
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, average[f"network.{name}"].half().float()), name
    learned = average["words.weight"].half().float().numpy()
    assert np.array_equal(prompts.vector("Crimson!"), learned[VOCABULARY.index("red")])
    assert np.array_equal(prompts.vector("crimson reds"), learned[VOCABULARY.index("red")])
    assert np.array_equal(prompts.vector("of the"), learned[-1])
    config = json.loads((tmp_path / "first/config.json").read_text())
    assert config["training"] == {"steps": 12, "hours": 2.0} and config["vocabulary"] == VOCABULARY
    best = Settings()
    painting = config["painting"]["scales"]
    assert [scale["refining"]["steps"] for scale in painting] == list(best.steps[:0:-1])
    assert [scale["composing"]["guidance"] for scale in painting] == [3, 3, best.guidance[0]]
    assert [scale["composing"]["sampler"] for scale in painting] == [best.sampler[3], best.sampler[2], best.sampler[0]]
    assert Settings.of(tmp_path / "first") == Settings.of(run) == best
    painting[2]["composing"] |= {"steps": 7, "sampler": "euler"}
    (tmp_path / "first/config.json").write_text(json.dumps(config))
    of_folder = best._replace(steps=(7, *best.steps[1:]), sampler=("euler", *best.sampler[1:]))
    assert Settings.of(tmp_path / "first", argparse.Namespace(shift=None)) == of_folder
    named = argparse.Namespace(sampler=("lcm",) * 4)
    assert Settings.of(tmp_path / "first", named) == of_folder._replace(sampler=named.sampler)
    (tmp_path / "first/config.json").write_text(json.dumps(config | {"reductions": [1, 4, 16]}))
    with pytest.raises(SystemExit, match="reductions: found"):
        sample.load(tmp_path / "first")


def test_export_refuses_mixtures_of_another_vocabulary_and_weights_that_f16_cannot_hold(monkeypatch, run, tmp_path):
    words.Mixtures(["red"], ["red"], np.eye(1), np.ones(1)).save(tmp_path / "mixtures.npz")
    with pytest.raises(SystemExit, match="another vocabulary"):
        run_export(monkeypatch, run, tmp_path / "out", tmp_path / "mixtures.npz")
    state = torch.load(run / "checkpoint.pt", weights_only=False)
    state["average"]["network.input.bias"][0] = 1e6
    torch.save(state, run / "checkpoint.pt")
    with pytest.raises(SystemExit, match="input.bias"):
        run_export(monkeypatch, run, tmp_path / "out", tmp_path / "none.npz")


def test_a_run_and_what_it_exports_paint_the_same_but_for_the_rounding_of_weights(monkeypatch, run, tmp_path):
    torch.set_num_threads(1)
    run_export(monkeypatch, run, tmp_path / "out", tmp_path / "none.npz")
    painted = [sample.Painter(*sample.load(folder, tmp_path / "none.npz"),
                              Settings((2, 1, 1, 1), (3, 1, 1, 1), (1, 1, 1, 0.5)))
               .paint("red nebula", 72, seed=4) for folder in (run, tmp_path / "out")]
    assert painted[0].shape == (72, 72, 3) and painted[0].std() > 0
    assert np.abs(painted[0].astype(int) - painted[1]).max() <= 2


def test_steps_of_second_order_follow_the_flow_closer_than_eulers():
    # Of pictures with deviation 0.2 the clean one is known, and so is the way: all numbers of one shrink together.
    deviation = 0.2
    spread = lambda t: ((1 - t) ** 2 * deviation**2 + t**2) ** 0.5
    clean = lambda x, t: (1 - t) * deviation**2 / spread(t) ** 2 * x
    errors = {}
    for sampler in ("euler", "dpmpp2m"):
        levels = Settings().levels(0)
        x, now = torch.ones(1), None
        for i, t in enumerate(levels[:-1]):
            before, now = now, clean(x, t)
            x = sample.stepped(sampler, x, now, before, levels, i, fresh=None)
        errors[sampler] = abs(float(x) - deviation)
    assert errors["dpmpp2m"] < 0.5 * errors["euler"], errors


def test_fresh_noise_keeps_the_spread_of_pictures():
    # Pictures of deviation 0.2, as above: many small steps with fresh noise end with that deviation. LCM's lose it.
    deviation, steps = 0.2, 400
    levels = [1 - step / steps for step in range(steps + 1)]
    generator = torch.Generator().manual_seed(1)
    fresh = lambda shape: torch.randn(shape, generator=generator)
    found = {}
    for sampler in ("euler-a", "lcm"):
        x = fresh(20_000)
        for i, t in enumerate(levels[:-1]):
            clean = (1 - t) * deviation**2 / ((1 - t) ** 2 * deviation**2 + t**2) * x
            x = sample.stepped(sampler, x, clean, None, levels, i, fresh)
        found[sampler] = float(x.std())
    assert found["euler-a"] == pytest.approx(deviation, rel=0.03) and found["lcm"] < 0.15, found


@pytest.mark.parametrize("prompt, found", [
    ("An edge-on Galaxy, blue; 2 stars", ["an", "edge-on", "galaxy", "blue", "stars"]),
    ("-red-  --", ["red"]),
    ("2024", []),
])
def test_words_are_runs_of_letters_with_inner_hyphens(prompt, found):
    assert lookup.words_of(prompt) == found


def test_a_prompt_is_the_weighted_mean_of_the_words_that_are_known():
    table = lookup.WordTable(["red", "nebula", "of"], np.eye(3), [1, 0.5, 0], [9, 9, 9])
    assert np.allclose(table.vector("nebulas of red"), [2 / 3, 1 / 3, 0])
    assert np.allclose(table.vector("red-nebula"), [2 / 3, 1 / 3, 0])
    assert np.allclose(table.vector("of something else"), [9, 9, 9])


def test_four_of_five_synonyms_chosen_beforehand_land_on_the_right_kind_and_colour():
    arrays = np.load(export.HERE / "word_mixtures.npz")
    vocabulary = bytes(arrays["vocabulary"]).decode().split("\n")
    table = words.Mixtures.of(vocabulary, export.HERE / "word_mixtures.npz")
    prompts = lookup.WordTable.of_mixtures(table)
    synonyms = json.loads((export.HERE / "synonyms.json").read_text())
    hits = [lookup.lands(lookup.described(vocabulary, prompts.vector(synonym["text"])), synonym)
            for synonym in synonyms]
    assert len(hits) == 50 and sum(hits) >= 40


def test_words_that_say_nothing_of_the_sky_are_not_in_the_table_and_trained_words_are_themselves():
    vocabulary = bytes(np.load(export.HERE / "word_mixtures.npz")["vocabulary"]).decode().split("\n")
    table = words.Mixtures.of(vocabulary, export.HERE / "word_mixtures.npz")
    assert not {"of", "the", "and", "with", "beautiful", "monday", "president", "football"} & set(table.words)
    for i, word in enumerate(vocabulary):
        row = table.words.index(word)
        assert table.weights[row] == 1 and np.array_equal(table.mixtures[row], np.eye(len(vocabulary))[i])
    assert np.allclose(table.mixtures.astype("f4").sum(1), 1, atol=5e-3)


@pytest.mark.parametrize("prompt, kind, colour", [
    ("red nebula", "nebula", "red"),
    ("dark nebula", "dark nebula", None),
    ("golden galaxy cluster", "galaxy cluster", "golden"),
    ("red nebula, blue open cluster", None, None),
    ("a blue something", None, "blue"),
])
def test_a_prompt_names_a_kind_and_a_colour_or_is_left_out(prompt, kind, colour):
    assert evaluate.named(prompt) == (kind, colour)


def test_a_descriptor_tells_stars_from_gas_and_red_from_blue():
    random = np.random.default_rng(5)
    stars = np.zeros((128, 128, 3), "u1")
    stars[random.integers(0, 128, 40), random.integers(0, 128, 40)] = 255
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    gas = np.zeros((128, 128, 3), "u1")
    gas[..., 0] = 200 * np.exp(-4 * (x**2 + y**2))
    diffuse = lambda picture: descriptor.diffuse_numbers(np.sqrt(picture / 255).mean(2))[0]
    assert diffuse(stars) < 0.1 and diffuse(gas) > 0.9
    red, blue = (descriptor.descriptor(picture)[descriptor.HUE] for picture in (gas, gas[..., ::-1]))
    assert red[1] > 0.9 and blue[1] < -0.4 and red[0] == pytest.approx(1, abs=1e-3)
    assert np.isfinite(descriptor.descriptor(np.zeros((128, 128, 3), "u1"))).all()


def test_pictures_like_the_real_ones_are_named_and_others_lie_far_from_them():
    """Three kinds that differ in two of the 54 numbers, and one of two colours each."""
    random = np.random.default_rng(9)
    kinds, objects = np.repeat(["galaxy", "nebula", "open cluster"], 48), np.arange(144)
    colours = np.tile(["red", "blue"], 72)

    def numbers(kind, colour):
        row = random.normal(0, 1, 54)
        row[20:22] += {"galaxy": (9, 0), "nebula": (0, 9), "open cluster": (-9, -9)}[str(kind)]
        row[descriptor.HUE] = (1, 1, 0) if colour == "red" else (1, -1, 0)
        return row

    real = np.stack([numbers(*row) for row in zip(kinds, colours)])
    prompts = ["red galaxy", "blue nebula", "red open cluster"] * 8
    made = np.stack([numbers(prompt.partition(" ")[2], prompt.partition(" ")[0]) for prompt in prompts])
    figures = evaluate.judge(made, prompts, real, kinds, colours, objects)
    assert figures["kind named"] == figures["colour named"] == 1
    assert figures["kind named of real"] > 0.95 and figures["colour named of real"] == 1
    assert 0.8 < figures["median distance"] < 1.2
    wrong = evaluate.judge(made[[1, 2, 0] * 8], prompts, real, kinds, colours, objects)
    assert wrong["kind named"] == 0
    assert evaluate.judge(made + 3, prompts, real, kinds, colours, objects)["median distance"] > 1.5


def test_a_synonym_is_right_where_both_what_it_says_of_kind_and_of_colour_are():
    listed = {synonym["text"]: synonym for synonym in json.loads(synonyms.SYNONYMS.read_text())}
    assert synonyms.prompt_of(listed["crimson"]) == "crimson nebula"
    assert synonyms.prompt_of(listed["gas cloud"]) == "gas cloud"
    assert synonyms.is_right(listed["crimson"], "gas", "red")
    assert not synonyms.is_right(listed["crimson"], "gas", "blue")
    assert not synonyms.is_right(listed["crimson"], "galaxy", "red")
    assert synonyms.is_right(listed["gas cloud"], "gas", "green")
    assert all(synonyms.is_right(listed["amber swarm of stars"], family, "golden") for family in ("globular cluster", "stars"))
    assert all(synonyms.is_right(synonym, "stars", "blue") is False for synonym in listed.values()
               if synonym["kind"] == "galaxy")


def test_coherence_compares_tiles_that_have_a_tile_between_them():
    random = np.random.default_rng(3)
    tile = random.integers(0, 200, (64, 64, 3), dtype="u1")
    same = np.tile(tile, (3, 4, 1))
    numbers, places = coherence.tiles(same, 64)
    assert numbers.shape == (12, 40) and places[-1].tolist() == [2, 3]
    assert coherence.mean_distance(numbers, places) == 0
    # One tile of another kind in a corner: of the 12 * 11 / 2 pairs, 36 are distant, and 8 of them are that tile's.
    patchwork = same.copy()
    patchwork[:64, :64] //= 4
    numbers, places = coherence.tiles(patchwork, 64)
    between = float(np.linalg.norm(numbers[0] - numbers[1]))
    distant = [(a, b) for a in range(12) for b in range(a) if np.abs(places[a] - places[b]).max() >= 2]
    assert coherence.mean_distance(numbers, places) == pytest.approx(
        between * sum(0 in pair for pair in distant) / len(distant), rel=1e-5)
    assert coherence.mean_distance(numbers[:2], places[:2]) is None


def test_real_crops_leave_out_black_ones_and_small_pictures(data):
    pictures = Pictures(data)
    pictures.pyramids[0][0] = pictures.pyramids[0][0].copy()
    pictures.pyramids[0][0][:96, :96] = 2
    pictures.pyramids[1] = pictures.pyramids[1][1:]
    (kind, numbers, places), = coherence.real_crops(pictures, 96)
    assert kind == "nebula" and len(numbers) == 8 and [0, 0] not in places.tolist()
    anchors = coherence.Anchors([(kind, numbers, places)] * 3)
    whole = pictures.pyramids[0][0].copy()
    assert anchors.figures(whole, "nebula", 96)["black tiles"] == 1
    whole[:96, :96] = whole[96:192, 96:192]
    assert anchors.figures(whole, "nebula", 96)["coherence"] == pytest.approx(1, abs=0.3)
    with pytest.raises(SystemExit, match="open cluster: found 0"):
        anchors.of("open cluster")


def sky(kind, side, random):
    """A patch that is plainly of one of the four kinds of regions.py."""
    y, x = np.mgrid[-1:1:side * 1j, -1:1:side * 1j]
    picture = np.zeros((side, side, 3))
    if "nebula" in kind:
        picture[..., 0 if "red" in kind else 2] = 0.7 * np.exp(-(x**2 + y**2) * random.uniform(0.5, 2))
    else:
        golden = "golden" in kind
        spots = random.integers(0, side, (side * side // (40 if golden else 400), 2))
        picture[spots[:, 0], spots[:, 1]] = (1, 0.8, 0.2) if golden else (0.5, 0.5, 0.5)
    return (picture * 255).astype("u1")


def test_parts_of_a_map_are_named_and_what_is_black_is_wrong_everywhere():
    random = np.random.default_rng(8)
    kinds = [kind for row in regions.PARTS for kind in row]
    labels = np.repeat(kinds, 24)
    numbers = np.stack([descriptor.descriptor(sky(kind, 64, random)) for kind in labels])
    assert regions.right_of_real(numbers, labels, np.arange(len(labels))) > 0.95
    classifier = regions.Classifier(numbers, labels)

    def painted(of):
        picture = np.zeros((512, 512, 3), "u1")
        for y in range(0, 512, 64):
            for x in range(0, 512, 64):
                picture[y:y + 64, x:x + 64] = sky(of[y // 256 * 2 + x // 256], 64, random)
        return picture

    # 256 - 32 pixels are three patches of 64 across; they begin at the map's outer edges or 32 beyond its borders.
    picture = painted(kinds)
    cut = list(regions.patches(picture, 64))
    assert len(cut) == 36 and {name for name, _ in cut} == set(kinds)
    assert np.array_equal(cut[0][1], picture[:64, :64]) and np.array_equal(cut[-1][1], picture[416:480, 416:480])
    aligned = np.roll(picture, (32, 32), (0, 1))      # so that patches of the last part are whole
    assert regions.figures(aligned, classifier, 64)["found"]["empty star field"] == {"empty star field": 9}
    assert regions.figures(painted(kinds[::-1]), classifier, 64)["right"] == 0
    black = regions.figures(np.full((512, 512, 3), 2, "u1"), classifier, 64)
    assert black["right"] == 0 and black["black"] == 36


def test_a_hard_border_stands_out_and_a_soft_one_does_not():
    random = np.random.default_rng(2)
    noise = random.integers(0, 30, (128, 128, 3)).astype("u1")
    hard, soft = noise.copy(), noise.copy()
    hard[:, 64:] += 80
    soft += np.linspace(0, 80, 128).astype("u1")[None, :, None]
    assert regions.edge(hard, 1, 64) > 5
    assert 0.8 < regions.edge(soft, 1, 64) < 1.25 and 0.8 < regions.edge(hard, 0, 64) < 1.25


def test_the_mean_of_weights_has_its_own_share_of_what_tiles_have_in_common():
    first = {"style.weight": torch.zeros(2), "fold0.weight": torch.zeros(2)}
    second = {name: torch.full((2,), 4.0, dtype=torch.float16) for name in first}
    made = mean.mean(first, second, 0.75, 0.25)
    assert made["style.weight"].tolist() == [1, 1] and made["fold0.weight"].tolist() == [3, 3]
    assert all(tensor.dtype == torch.float16 for tensor in made.values())
    with pytest.raises(SystemExit, match="one network"):
        mean.mean(first, {"style.weight": torch.zeros(2), "fold0.weight": torch.zeros(3)}, 0.5, 0.5)
