"""Stars: points of light over every canvas, as photographs of the sky have them and pictures that were cleaned have not.

Few stars are bright and many are faint: the number above a brightness falls as a power of it. Air and lens spread a
star's light to a narrow core and a faint halo, the same for all stars of a canvas. Sizes are in pixels of the full scale.
At every scale a pixel shows the light that falls into it, so what the full size is told of a star is what its coarser
scale learned to paint; exactly so up to white, within an eighth beyond it.

Clusters have more stars than a photograph of them can be enlarged: shown larger than it was taken, its stars become lumps.
There the glow that they run into is drawn as stars again.
"""
import numpy as np
from scipy import ndimage
from scipy.special import ndtr

MARGIN = 7                      # pixels of the halo that are drawn
FAINTEST, BRIGHTEST, SLOPE = 0.12, 6.0, 1.3
HALO, HALO_WIDTH = 0.03, 2.5    # share of the peak, deviation in pixels
STAR_WIDTHS = (0.6, 0.9)        # deviation of the core, in pixels


def light_of(count, rng, faintest=FAINTEST):
    """The light of `count` stars at their peaks, [count, 3]: brightness by a power law, colours from golden to blue."""
    peak = np.minimum(faintest * rng.random(count) ** (-1 / SLOPE), BRIGHTEST)
    warmth = rng.normal(0, 1, count)[:, None] * [0.16, 0, -0.2]
    colour = np.exp(warmth - warmth.max(1, keepdims=True))
    return (peak[:, None] * colour).astype("f4")


def mean_light(width, faintest=FAINTEST):
    """The light of a star over all its pixels, in the mean of those that `light_of` draws, before they are clipped."""
    peak = faintest * SLOPE / (SLOPE - 1) * (1 - (faintest / BRIGHTEST) ** (SLOPE - 1) / SLOPE)
    return 2 * np.pi * peak * (width**2 + HALO * HALO_WIDTH**2)


def shares_of(offsets, deviation):
    """Of light spread by a Gaussian, the share that falls into each pixel, [count, rows, columns].

    offsets [2, count, rows]: from the star to the middles of rows and of columns, in pixels, as the deviation is.
    """
    down, across = ndtr((offsets + 0.5) / deviation) - ndtr((offsets - 0.5) / deviation)
    return down[:, :, None] * across[:, None]


def add_stars(light, density, width, factor, rng):
    """Adds stars to light [side, side, 3], `density` of them a pixel of the full scale, whose cores deviate by `width`;
    `factor` is how many pixels of the full scale are one of these, a side."""
    side, reach = light.shape[0], reach_of(factor)
    count = int(rng.poisson(density * (factor * (side + 2 * reach)) ** 2))
    lay(light, rng.uniform(-reach, side + reach, (2, count)), light_of(count, rng), width, factor)


def resolve(light, faintest, width, factor, rng):
    """Draws a part of a glow, light [height, width, 3], as stars of its colour, of a brightness of `faintest` on: so many that
    the mean stays until they are clipped. Stars beyond its sides lay no light into it."""
    brightest = light.max(2) + 1e-6
    density = brightest / mean_light(width, faintest)
    rows, columns = np.nonzero(counts := rng.poisson(density * factor**2))
    rows, columns = (np.repeat(places, counts[counts > 0]) for places in (rows, columns))
    places = np.stack([rows, columns]) + rng.random((2, len(rows)))
    peaks = light_of(len(rows), rng, faintest) * (light / brightest[..., None])[rows, columns]
    light[:] = 0
    lay(light, places, peaks, width, factor)


def reach_of(factor):
    return -(-MARGIN // factor)


def lay(light, places, peaks, width, factor):
    """Lays stars over light [height, width, 3]: their places [2, count] in its pixels, the light of their peaks [count, 3]."""
    reach = reach_of(factor)
    around = np.arange(-reach, reach + 1)
    nearest = np.floor(places).astype(int)
    offsets = around + 0.5 - (places - nearest)[..., None]
    # At full size a pixel is clipped where a core is brighter than white; the mean over many must know it beforehand.
    core = peaks if factor == 1 else np.where(peaks > 1, 1 + np.log(np.maximum(peaks, 1)), peaks)
    stamps = sum(2 * np.pi * spread**2 * shares_of(offsets, spread)[..., None] * peak[:, None, None]
                 for spread, peak in ((width / factor, core), (HALO_WIDTH / factor, HALO * peaks)))
    rows = np.broadcast_to((nearest[0][:, None] + around)[:, :, None], stamps.shape[:3])
    columns = np.broadcast_to((nearest[1][:, None] + around)[:, None], stamps.shape[:3])
    inside = (rows >= 0) & (rows < light.shape[0]) & (columns >= 0) & (columns < light.shape[1])
    stars = np.zeros_like(light)
    np.add.at(stars, (rows[inside], columns[inside]), stamps[inside].astype("f4"))
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
