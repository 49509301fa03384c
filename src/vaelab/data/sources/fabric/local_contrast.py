"""Local contrast normalisation: lighting and the tone of a fabric are taken out, its texture and its defects stay."""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.ndimage import uniform_filter

from vaelab.params.datasets import Aitex, FolderMasks, Mvtec

RANGE = 4.0  # standard deviations that become 0 and 255; what is beyond is clipped
FLAT = 1.0  # levels: a smaller deviation is that of an even surface, which is not blown up


def tone(settings: Aitex | FolderMasks | Mvtec) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes levels of a reduced strip [h, w, C], float in 0..255, to uint8."""
    if settings.normalise == "none":
        return levels
    return partial(local_contrast, window=max(2, settings.window // settings.reduce))


def levels(x: np.ndarray) -> np.ndarray:
    """Return levels x [H, W, C], rounded to uint8."""
    rounded: np.ndarray = np.rint(x).astype(np.uint8)
    return rounded


def local_contrast(x: np.ndarray, window: int) -> np.ndarray:
    """Return (pixel - local mean) / local standard deviation as uint8 [H, W, C], of levels x in 0..255 [H, W, C].

    Local: over a square of `window` pixels around the pixel, mirrored at the border. 0 becomes 128, 4 becomes 255.
    """
    levels, square = x.astype(np.float64), (window, window, 1)
    mean = uniform_filter(levels, square)
    variance = uniform_filter(levels**2, square) - mean**2
    score = (levels - mean) / np.maximum(np.sqrt(variance.clip(0)), FLAT)
    normalised: np.ndarray = np.rint((score / RANGE + 1) / 2 * 255).clip(0, 255).astype(np.uint8)
    return normalised
