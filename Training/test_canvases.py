"""Tests of training canvases: what they show, and what of it they tell."""
import types

import numpy as np
import pytest

import canvas
import captions
import maps
import network
import scales
import sources
import stars
from conftest import VOCABULARY
from pictures import GAS, Pictures
from sources import Source


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
        def add(self, source, y, x, rng):
            middles.append((y + source.picture.shape[0] // 2, x + source.picture.shape[1] // 2))

    source = Source(pictures, 0, 50, scales.EIGHTH, np.random.default_rng(0))
    for seed in range(30):
        canvas.show(Watched(64, 3, scales.EIGHTH), source, np.random.default_rng(seed), canvas.MIDDLE)
    assert np.min(middles) >= 22 and np.max(middles) <= 42 and np.ptp(middles, 0).min() > 10


def test_the_parts_of_a_map_cover_it_once():
    random = np.random.default_rng(1)
    for cells in (4, 8, 16):
        for _ in range(50):
            covered = np.zeros((cells, cells), int)
            parts = maps.layout(cells, random)
            for top, bottom, left, right in parts:
                covered[top:bottom, left:right] += 1
            assert (covered == 1).all() and 2 <= len(parts) <= (4 if cells == 4 else 9)


def test_a_map_shows_in_each_part_what_its_cells_are_told(data, monkeypatch):
    monkeypatch.setattr(maps, "TOGETHER", 0)
    pictures = Pictures(data)
    dark = pictures.text_of(("dark", "deep", "sky"))
    light, texts = maps.group(pictures, 128, np.random.default_rng(3), 16, lambda part: dark)
    assert np.allclose(texts.sum(1), 1, atol=1e-6) and light.min() >= 0 and light.max() <= 1
    cells = light.reshape(16, 8, canvas.CELL, 8, canvas.CELL, 3).mean((2, 4, 5))
    empty = (texts == dark[:, None, None]).all(1)
    assert 0.05 < empty.mean() < 0.6
    # Noise fills its part; the light of a neighbour reaches over a border no farther than its feather.
    assert cells[empty].mean() < cells[~empty].mean() / 8
    monkeypatch.setattr(maps, "TOGETHER", 1)
    _, texts = maps.group(pictures, 128, np.random.default_rng(3), 4, lambda part: dark)
    assert (texts == texts[:, :, :1, :1]).all()


def test_a_style_that_the_other_tiles_must_tell_is_told_by_no_colour(data):
    pictures = Pictures(data)
    for seed in range(6):
        light, _, texts = canvas.group(pictures, 64, scales.FULL, np.random.default_rng(seed), 4, untold=True)
        assert light.shape == (4, 64, 64, 3)
        assert all(np.array_equal(text, texts[0]) for text in texts)
        assert all(texts[0, pictures.index[colour]].max() == 0 for colour in ("red", "blue"))


def test_such_a_style_is_all_the_colour_that_there_is(monkeypatch, data):
    pictures = Pictures(data)
    monkeypatch.setattr(canvas, "GREYED", (1, 1))
    monkeypatch.setattr(canvas, "STARRY", 0)
    lit = []
    for seed in range(6):
        light = canvas.group(pictures, 64, scales.FULL, np.random.default_rng(seed), 4, untold=True)[0].reshape(-1, 3)
        light = light[(light.max(1) > 0.05) & (light.max(1) < 0.99)]
        hues = light / light.max(1, keepdims=True)
        assert len(light) == 0 or np.ptp(hues, axis=0).max() < 0.01
        lit.append(len(light))
    assert max(lit) > 100


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


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("brightest", [0.12, 0.4])
@pytest.mark.parametrize("faintest", sources.FAINTEST_RESOLVED["globular cluster"])
def test_a_glow_is_drawn_as_stars_of_its_colour_that_have_its_light(factor, brightest, faintest):
    glow = np.broadcast_to(np.float32([1, 0.75, 0.5]) * brightest, (256, 192, 3)).copy()
    light = glow.copy()
    stars.resolve(light, faintest, 0.75, factor, np.random.default_rng(0))
    # What is brighter than white is lost, and warm and cool stars have less light than white ones.
    assert light.mean((0, 1)) == pytest.approx(glow[0, 0], rel=0.3)
    red, green, blue = light.mean((0, 1))
    assert red > 1.1 * green > 1.2 * blue and light.max() > min(3 * glow.max(), 0.99)
    dark = np.zeros((8, 8, 3), "f4")
    stars.resolve(dark, faintest, 0.75, factor, np.random.default_rng(0))
    assert (dark == 0).all()


def test_a_third_of_the_light_of_an_open_cluster_is_lost_beyond_white():
    glow = np.full((256, 192, 3), 0.2, "f4")
    stars.resolve(glow, sources.FAINTEST_RESOLVED["open cluster"][1], 0.75, 4, np.random.default_rng(0))
    assert 0.6 < glow.mean() / 0.2 < 0.75


def test_stars_of_clusters_are_drawn_where_they_are_shown_larger_than_they_were_taken(data):
    pictures = Pictures(data)
    rng = np.random.default_rng(0)
    source = lambda index, side, scale, **more: Source(pictures, index, side, scale, rng, order=0, **more)
    assert source(1, 150, scales.QUARTER).resolved and not source(1, 75, scales.QUARTER).resolved
    assert not source(1, 300, scales.FULL).resolved and not source(1, 150, scales.EIGHTH).resolved
    assert not source(0, 150, scales.QUARTER).resolved      # a nebula has no stars of its own
    magnified = source(1, 600, scales.FULL, magnified=True)
    assert magnified.resolved and magnified.picture.shape == (600, 600, 3)

    def contrast(source):
        tile = canvas.Tile(64, len(VOCABULARY) + 1, source.scale, 0.75)
        tile.add(source, -20, -20, rng)
        return tile.light.std() / (source.picture[20:84, 20:84] * source.gain).std()

    assert contrast(magnified) > 2 and contrast(source(1, 300, scales.FULL)) == pytest.approx(1, rel=0.01)


def test_stars_of_a_sky_have_the_colour_that_it_is_told_to_have(data, monkeypatch):
    pictures, rng = Pictures(data), np.random.default_rng(0)
    monkeypatch.setattr(canvas, "COLOURED_SKIES", 1)
    for scale in (scales.FULL, scales.QUARTER, scales.EIGHTH):
        sky = next(sky for sky in iter(lambda: canvas.Subject(pictures, 64, scale, rng, False, False), None) if sky.empty)
        told = [word for word in captions.HUES if sky.behind[0].text[pictures.index[word]] > 0]
        assert len(told) == (scale != scales.EIGHTH)
        assert captions.colour(np.broadcast_to(np.float32(sky.gains), (8, 8, 3))) == (told or ["white"])[0]


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
