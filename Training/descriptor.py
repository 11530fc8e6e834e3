"""What a picture of the sky is like in 54 numbers: its colours, its gradients at six sizes, its form.

Light is taken to the power 1/2 first, so that faint gas counts beside stars.

- Colour (16): of each channel the mean, the standard deviation and the 90th and 99th percentile; the saturation of the
  light as a whole and its hue as cosine and sine, each times the saturation; the share of the picture that is darker
  than 0.1.
- Gradients (24): for brightness reduced by 1, 2, 4, 8, 16 and 32, the logarithms of the mean absolute gradient and of
  its 99th percentile, how much it is concentrated (kurtosis, as a logarithm), and the share of pixels that are the
  greatest of their 3 x 3 and stand out by 0.05: stars.
- Form (14): the correlation of brightness with itself at 1/16 and at 1/4 of the side, the share of the light in the
  brightest hundredth of pixels, the elongation of the light, the share of brightness that lies within 1/16, 1/8, 1/4
  and 3/8 of the side of the brightest place, and how much brightness is left when bright spots of up to 3 and 9 pixels
  are taken away (a morphological opening), at reductions by 1, 4 and 16: gas against stars.
"""
import numpy as np
from scipy import ndimage

HUE = slice(12, 15)
DARK = 15


def reduced(light, factor):
    height, width = (side // factor * factor for side in light.shape)
    return light[:height, :width].reshape(height // factor, factor, width // factor, factor).mean((1, 3))


def colour_numbers(picture, light):
    """16 numbers of a picture and its square root, both [h, w, 3] in [0, 1]."""
    flat = light.reshape(-1, 3)
    weight = picture.max(2, keepdims=True) ** 1.5
    red, green, blue = (picture * weight).sum((0, 1)) / (weight.sum() + 1e-6)
    largest = max(red, green, blue, 1e-6)
    # Hue as a vector in the plane across the axis of greys.
    hue = np.array([red - (green + blue) / 2, (green - blue) * 0.75**0.5]) / largest
    return [*flat.mean(0), *flat.std(0), *np.percentile(flat, 90, axis=0), *np.percentile(flat, 99, axis=0),
            1 - min(red, green, blue) / largest, *hue, float((flat.max(1) < 0.1).mean())]


def gradient_numbers(brightness):
    """Four numbers of a brightness [h, w]."""
    down, right = np.diff(brightness, axis=0), np.diff(brightness, axis=1)
    steps = np.concatenate([down.ravel(), right.ravel()])
    squared = steps**2
    outstanding = ndimage.maximum_filter(brightness, 3) == brightness
    outstanding &= brightness > ndimage.uniform_filter(brightness, 7) + 0.05
    return [np.log(np.abs(steps).mean() + 1e-4), np.log(np.percentile(np.abs(steps), 99) + 1e-4),
            np.log((squared**2).mean() / (squared.mean() ** 2 + 1e-12) + 1e-2), float(outstanding.mean()) ** 0.5]


def elongation(picture):
    """Ratio of the axes of the light's second moments."""
    light = np.maximum(picture.mean(2) - 0.1, 0)
    y, x = np.mgrid[0:light.shape[0], 0:light.shape[1]]
    total = light.sum() + 1e-6
    dx, dy = x - (light * x).sum() / total, y - (light * y).sum() / total
    moments = np.array([[(light * dx * dx).sum(), (light * dx * dy).sum()], [(light * dx * dy).sum(), (light * dy * dy).sum()]])
    smallest, largest = np.linalg.eigvalsh(moments / total + 1e-6 * np.eye(2))
    return float((largest / max(smallest, 1e-6)) ** 0.5)


def correlation(brightness, distance):
    centred = brightness - brightness.mean()
    down = (centred[distance:] * centred[:-distance]).mean()
    right = (centred[:, distance:] * centred[:, :-distance]).mean()
    return (down + right) / (2 * centred.var() + 1e-6)


def spread_numbers(brightness):
    """The share of brightness within four distances of the brightest place."""
    small = reduced(brightness, 8)
    y, x = np.unravel_index(ndimage.gaussian_filter(small, 2).argmax(), small.shape)
    rows, columns = np.mgrid[:small.shape[0], :small.shape[1]]
    distance = np.hypot(rows - y, columns - x) / min(small.shape)
    return [small[distance <= limit].sum() / (small.sum() + 1e-6) for limit in (1 / 16, 1 / 8, 1 / 4, 3 / 8)]


def diffuse_numbers(brightness):
    """The share of brightness that is no spot of up to 3, and of up to 9, pixels."""
    return [ndimage.grey_opening(brightness, size).mean() / (brightness.mean() + 1e-6) for size in (3, 9)]


def descriptor(picture):
    """The 54 numbers of a picture [h, w, 3] of bytes."""
    picture = picture.astype("f4") / 255
    light = np.sqrt(picture)
    brightness = light.mean(2)
    side = min(brightness.shape)
    total = np.sort(picture.mean(2).ravel())
    numbers = colour_numbers(picture, light)
    for factor in (1, 2, 4, 8, 16, 32):
        numbers += gradient_numbers(reduced(brightness, factor))
    numbers += [correlation(brightness, side // 16), correlation(brightness, side // 4),
                total[-total.size // 100:].sum() / (total.sum() + 1e-6), np.log(elongation(picture[::4, ::4]))]
    numbers += spread_numbers(brightness)
    for factor in (1, 4, 16):
        numbers += diffuse_numbers(reduced(brightness, factor))
    return np.array(numbers, "f4")
