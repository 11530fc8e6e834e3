"""Tests of how pictures are judged."""
import json

import numpy as np
import pytest

import coherence
import descriptor
import evaluate
import regions
import synonyms
from pictures import Pictures


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


def test_real_patches_show_an_object_about_its_middle_or_if_they_are_cut_where_it_is_bright(data):
    arrays = dict(np.load(data / "pictures.npz"))
    for name, picture in arrays.items():
        if name.startswith("0."):       # a bright frame around nothing
            picture[:] = 0
            edge = max(1, len(picture) // 12)
            picture[:edge] = picture[-edge:] = picture[:, :edge] = picture[:, -edge:] = 255
    np.savez(data / "pictures.npz", **arrays)
    pictures = Pictures(data)
    middles, cut = ([evaluate.real_picture(pictures, 0, 64, np.random.default_rng(seed), cut).max() > 200
                     for seed in range(20)] for cut in (False, True))
    assert sum(middles) <= 2 and sum(cut) >= 16


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
