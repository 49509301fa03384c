"""Which axes of an array are images, their rows, columns and channels.

N images, H rows, W columns, C channels.
"""

import math
from typing import Any, NamedTuple

import numpy as np

LEAST, MOST = 8, 8192  # pixels a side
CHANNELS = (1, 3, 4)
FEWEST = 10  # images
SAMPLE = 50
ROUGH = 0.9  # of noise it is 1, of images less than this


class Form(NamedTuple):
    """How an array is read as images."""

    number: int
    height: int
    width: int
    channels: int
    last: bool  # the number of the image is the last axis
    axes: tuple[int, ...] | None  # of N, ... that become N, H, W, C; none of flat rows
    planes: bool = False  # flat rows are one channel after the other

    def images(self, array: Any, start: int, end: int) -> np.ndarray:
        """Return some of the images, [n, H, W, C]."""
        chunk = np.moveaxis(array[:][..., start:end], -1, 0) if self.last else np.asarray(array[start:end])
        if self.axes is not None:
            chunk = chunk.transpose(self.axes) if chunk.ndim == 4 else chunk[..., None]
        elif self.planes:
            chunk = chunk.reshape(-1, self.channels, self.height, self.width).transpose(0, 2, 3, 1)
        else:
            chunk = chunk.reshape(-1, self.height, self.width, self.channels)
        return chunk


def form_of(array: Any) -> Form | None:
    """Return how an array is read as images; None where it holds none."""
    shape = tuple(map(int, array.shape))
    if getattr(array.dtype, "kind", "") not in "buif" or not all(shape):
        return None
    how = {2: _flat, 3: _gray, 4: _coloured}.get(len(shape))
    found = how(array, shape) if how else None
    return found if found and found.number > 1 and _is_side(found.height) and _is_side(found.width) else None


def single(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Return height, width and channels of an array that is one image; None where it is none."""
    height, width, *channels = (*shape, 0, 0) if len(shape) < 2 else shape
    if not _is_side(height) or not _is_side(width) or len(channels) > 1 or (channels and channels[0] not in CHANNELS):
        return None
    return height, width, channels[0] if channels else 1


def _is_side(pixels: int) -> bool:
    return LEAST <= pixels <= MOST


def _gray(array: Any, shape: tuple[int, ...]) -> Form | None:
    first, second, third = shape
    if third in (3, 4) and first != second and second >= LEAST:
        return None  # one image of colour
    if first == second and third not in (first, *CHANNELS) and third > first:
        return Form(third, first, second, 1, True, (0, 1, 2))
    return None if third in CHANNELS else Form(first, second, third, 1, False, (0, 1, 2))


def _coloured(array: Any, shape: tuple[int, ...]) -> Form | None:
    if shape[3] in CHANNELS:
        return Form(shape[0], shape[1], shape[2], shape[3], False, (0, 1, 2, 3))
    if shape[1] in CHANNELS:
        return Form(shape[0], shape[2], shape[3], shape[1], False, (0, 2, 3, 1))
    if shape[2] in CHANNELS and shape[0] >= LEAST:
        return Form(shape[3], shape[0], shape[1], shape[2], True, (0, 1, 2, 3))
    return None


def _flat(array: Any, shape: tuple[int, ...]) -> Form | None:
    """Rows, or columns, of as many numbers as a square has, where neighbours in it are alike as those of images are."""
    best: tuple[float, Form | None] = (ROUGH, None)
    for last in (False, True):
        number, values = shape[::-1] if last else shape
        for channels, planes in ((1, False), (3, True), (3, False)):
            side = math.isqrt(values // channels)
            if side < LEAST or channels * side**2 != values or number < FEWEST:
                continue
            form = Form(number, side, side, channels, last, None, planes)
            rough = _roughness(form.images(array, 0, SAMPLE).astype(np.float64))
            best = min(best, (rough, form), key=lambda pair: pair[0])
    return best[1]


def _roughness(x: np.ndarray) -> float:
    """Mean squared difference of neighbours in images [n, H, W, C], relative to that of any two values."""
    x = x - x.mean(0)
    variance = float(x.var())
    down, across = (float((np.diff(x, axis=axis) ** 2).mean()) for axis in (1, 2))
    return max(down, across) / (2 * variance) if variance else np.inf
