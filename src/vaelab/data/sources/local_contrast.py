"""Local contrast normalisation: lighting and the tone of a fabric are taken out, its texture and its defects stay."""

import numpy as np
from scipy.ndimage import uniform_filter

RANGE = 4.0  # standard deviations that become 0 and 255; what is beyond is clipped
FLAT = 1.0  # levels: a smaller deviation is that of an even surface, which is not blown up


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
