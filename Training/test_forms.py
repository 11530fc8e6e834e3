"""Tests of the forms of objects: how they are cut from pictures, learned, and lead what is composed."""
import json
import pathlib
import sys

import numpy as np
import pytest
import torch

import captions
import forms
import sample
import sketch
from pictures import Pictures
from test_painting import run_export

LABELS = json.loads((pathlib.Path(__file__).parent / "labels.json").read_text())
SPIRAL = {"file": "m61.png", "kind": "galaxy", "words": [["galaxy", "spiral", "white"]] * 6}
SMOOTH = {"file": "m88.png", "kind": "galaxy", "words": [["galaxy", "spiral", "white"]] * 6}
GAS = {"file": "a.png", "kind": "nebula", "words": [["nebula", "red"]] * 6}


def ellipse(side, angle, at):
    """A bright ellipse before a sky of 0.1, [side, side, 3]."""
    y, x = np.mgrid[:side, :side] - np.array(at)[:, None, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.repeat((0.1 + 0.8 * np.exp(-(along / 20) ** 2 - (across / 8) ** 2))[..., None], 3, 2)


@pytest.mark.parametrize("angle", [0.0, 0.6, 2.5])
def test_a_form_lies_in_the_middle_along_the_rows_before_black(angle):
    form = forms.centred(ellipse(128, angle, (50, 70)))
    light = form.mean(2)
    y, x = np.mgrid[:forms.SIDE, :forms.SIDE] - (forms.SIDE - 1) / 2
    assert form.shape == (forms.SIDE, forms.SIDE, 3) and form.max() <= 1
    assert abs((light * x).sum() / light.sum()) < 0.5 and abs((light * y).sum() / light.sum()) < 0.5
    assert (light * x**2).sum() > 3 * (light * y**2).sum() and abs((light * x * y).sum()) < 0.1 * (light * x**2).sum()
    assert light[0].max() < 0.02 and light[:, 0].max() < 0.02


def test_what_is_told_by_eye_of_forms_is_told_of_files():
    for names in (forms.ARMED, forms.UNFIT):
        for name in names:
            assert any(captions.told_by_eye(label, [("it", (name,))]) for label in LABELS), name
    assert not set(forms.ARMED) & set(forms.UNFIT)


def test_pictures_are_forms_of_what_they_show_and_texts_ask_for_what_they_say():
    assert [forms.kind_of(text) for text in (SPIRAL, SMOOTH, GAS)] == ["armed", "spiral", None]
    assert [forms.named(text) for text in (SPIRAL, SMOOTH, GAS)] == ["spiral", "spiral", None]


def test_decoder_and_codes_learn_forms():
    torch.manual_seed(0)
    decoder, codes = forms.Decoder(), torch.nn.Parameter(torch.randn(3, forms.CODE))
    wanted = torch.from_numpy(np.stack([forms.centred(ellipse(128, 0, (50, 50 + 10 * i))) * (1 - i / 4) for i in range(3)]))
    wanted = wanted.permute(0, 3, 1, 2).contiguous()
    texts = torch.zeros(3, 64)
    before = forms.error(decoder(codes, texts), wanted).item()
    forms.train(decoder, codes, [(torch.arange(3), wanted, texts)], 200)
    assert forms.error(decoder(codes, texts), wanted).item() < 0.2 * before


@pytest.fixture
def exported(monkeypatch, run, data, tmp_path):
    """An exported folder with forms, learned in a few steps from a picture of `data`, which is called a galaxy."""
    folder = tmp_path / "exported"
    run_export(monkeypatch, run, folder, tmp_path / "none.npz")
    galaxy = {"file": "b.png", "kind": "galaxy", "words": [["star", "red"]] * 6}
    (data / "captions.json").write_text(json.dumps([GAS, galaxy]))
    monkeypatch.setattr(forms, "KINDS", {"galaxy": ({"galaxy"}, (8, 40), 0.5)})
    monkeypatch.setattr(forms, "CLUSTERED", 0)
    monkeypatch.setattr(forms, "POOL", 2)
    monkeypatch.setattr(sys, "argv", ["forms.py", "--data", str(data), "--exported", str(folder), "--steps", "20"])
    forms.main()
    return folder


def test_forms_are_written_beside_the_weights_and_read_again(exported):
    read = sketch.Forms.of(exported)
    assert read.codes.shape == (1, forms.CODE) and read.members.tolist() == [[1]]
    assert [kind["name"] for kind in read.kinds] == ["galaxy"] and read.until == forms.UNTIL
    assert sketch.Forms.of(exported.parent / "run") is None
    _, table = sample.load(exported)
    assert read.shares(torch.from_numpy(table.vector("red star"))) is not None


def test_a_sketch_has_objects_apart_from_each_other_and_a_black_sky(exported):
    read = sketch.Forms.of(exported)
    read.decoder.picture.bias.data += 1      # white: so few steps give grey
    for seed in range(3):
        objects = read.placed(np.ones(1), 64, np.random.default_rng(seed))
        assert objects
        for index, (_, at, size) in enumerate(objects):
            assert (at >= 0.45 * size).all() and (at <= 64 - 0.45 * size).all() and 8 <= size <= 40
            assert all(np.linalg.norm(at - other) > 0.45 * (size + own) for _, other, own in objects[:index])
    _, table = sample.load(exported)
    made = read.sketch(torch.from_numpy(table.vector("red star")), 64, 0)
    assert made.shape == (1, 3, 64, 64) and made.min() == -1 and made.max() > -0.5
    read.bias = torch.tensor([-99.0, 99.0])
    assert read.sketch(torch.from_numpy(table.vector("red star")), 64, 0) is None


def test_a_sketch_leads_what_is_composed(exported):
    net, table = sample.load(exported)
    plain, led = (sample.Painter(net, table, forms=of) for of in (None, sketch.Forms.of(exported)))
    pictures = [painter.paint("red star", 64, 1) for painter in (plain, led)]
    assert not np.array_equal(*pictures)
    led.forms.bias = torch.tensor([-99.0, 99.0])
    assert np.array_equal(led.paint("red star", 64, 1), pictures[0])


def test_only_pictures_that_are_fit_are_forms(data):
    pictures = Pictures(data)
    assert [forms.kind_of(text) for text in pictures.texts] == [None, None]


@pytest.mark.parametrize("word", captions.COLOURS)
def test_a_form_that_is_told_to_have_a_colour_has_it(word):
    rng = np.random.default_rng(0)
    form = forms.centred(ellipse(128, 0.3, (60, 60))) * np.array([1, 0.8, 0.5], "f4")
    text = {"file": "m61.png", "kind": "planetary nebula", "words": [["planetary", "nebula", word]] * 6}
    shown_as = type("Pictures", (), {"texts": [text], "colours": [captions.mean_colour(form)]})
    for _ in range(20):
        words, channels, gains = forms.drawn(shown_as, 0, rng)
        if words[-1] == word and channels == [0, 1, 2]:
            shown = forms.coloured((form * gains).clip(0, 1), word)
            assert word == "white" or captions.colour(shown) == word
    grey = forms.coloured(form, "white")
    assert np.ptp(captions.mean_colour(grey)) < 0.6 * np.ptp(captions.mean_colour(form))
    assert np.array_equal(forms.coloured(form, "planetary"), form)
