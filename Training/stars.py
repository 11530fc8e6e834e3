"""Stars: points of light over every canvas, as photographs of the sky have them and pictures that were cleaned have not.

Few stars are bright and many are faint: the number above a brightness falls as a power of it. Air and lens spread a star's
light to a narrow core and a faint halo, the same for all stars of a canvas. Sizes are in pixels of the full scale; a
coarser scale sees the mean over its pixels.
"""
import numpy as np
from scipy import ndimage

MARGIN = 7                      # pixels of the halo that are drawn
FAINTEST, BRIGHTEST, SLOPE = 0.12, 6.0, 1.3
HALO, HALO_WIDTH = 0.03, 2.5    # share of the peak, deviation in pixels


def light_of(count, rng):
    """The light of `count` stars at their peaks, [count, 3]: brightness by a power law, colours from golden to blue."""
    peak = np.minimum(FAINTEST * rng.random(count) ** (-1 / SLOPE), BRIGHTEST)
    warmth = rng.normal(0, 1, count)[:, None] * [0.16, 0, -0.2]
    colour = np.exp(warmth - warmth.max(1, keepdims=True))
    return (peak[:, None] * colour).astype("f4")


def whole_stamps(offsets, width):
    """What each star gives to the pixels around its own, [count, rows, columns], as a share of its peak."""
    down, across = offsets
    spread = lambda offset, deviation: np.exp(-0.5 * (offset / deviation) ** 2)
    return sum(share * spread(down, deviation)[:, :, None] * spread(across, deviation)[:, None]
               for share, deviation in ((1, width), (HALO, HALO_WIDTH)))


def whole_light(peaks, width):
    """All the light of stars with these peaks. Where a core is brighter than white, a picture shows white."""
    core = np.where(peaks > 1, 1 + np.log(np.maximum(peaks, 1)), peaks)
    return 2 * np.pi * (width**2 * core + HALO * HALO_WIDTH**2 * peaks)


def add_stars(light, density, width, factor, rng):
    """Adds stars to light [side, side, 3], `density` of them a pixel of the full scale, whose cores deviate by `width`;
    `factor` is how many pixels of the full scale are one of these, a side."""
    side = light.shape[0]
    reach = MARGIN if factor == 1 else 1
    count = int(rng.poisson(density * (factor * (side + 2 * reach)) ** 2))
    places = rng.uniform(-reach, side + reach, (2, count))
    peaks = light_of(count, rng)
    around = np.arange(-reach, reach + 1)
    nearest = (np.floor if factor == 1 else np.round)(places).astype(int)
    offsets = around + 0.5 - (places - nearest)[..., None]
    if factor == 1:
        stamps = whole_stamps(offsets, width)
    else:
        # Smaller than a pixel: its light in the four nearest ones, by distance.
        down, across = np.maximum(0, 1 - abs(offsets))
        stamps, peaks = down[:, :, None] * across[:, None] / factor**2, whole_light(peaks, width)
    rows = np.broadcast_to((nearest[0][:, None] + around)[:, :, None], stamps.shape)
    columns = np.broadcast_to((nearest[1][:, None] + around)[:, None], stamps.shape)
    inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    star = np.broadcast_to(np.arange(count)[:, None, None], stamps.shape)[inside]
    stars = np.zeros_like(light)
    np.add.at(stars, (rows[inside], columns[inside]), stamps[inside][:, None].astype("f4") * peaks[star])
    light += stars.clip(max=1) * (1 - light)


def without_stars(picture, length):
    """A picture [h, w, 3] of bytes without spots shorter than `length` in every direction: what is left of a star is what
    lies around it, and filaments stay. The greatest of the openings by lines of four directions."""
    line = np.eye(length, dtype=bool)
    level = np.zeros((length, length), bool)
    level[length // 2] = True
    return np.stack([np.maximum.reduce([ndimage.grey_opening(channel, footprint=footprint)
                                        for footprint in (level, level.T, line, line[::-1])])
                     for channel in np.moveaxis(picture, 2, 0)], 2)
