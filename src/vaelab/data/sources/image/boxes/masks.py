"""Boxes that move as their image does, turned, scaled and cut: masks of the squares that it gives.

n boxes, t squares, S their side. A box covers every pixel of a square that it touches.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vaelab.data.sources.decoding import SWAPPED
from vaelab.data.sources.image_files import Fit

FROM_RIGHT, FROM_BELOW = (2, 3, 6, 7), (3, 4, 7, 8)  # EXIF orientations that, after that, mirror x, and y
DIGITS = 6  # of a pixel: what rounding leaves is no pixel more


class Frame(NamedTuple):
    """Which part of an upright image becomes squares: its corner, the factor on its pixels, rows and columns."""

    left: float
    top: float
    factor: float
    rows: int = 1
    columns: int = 1


class Marked(NamedTuple):
    """Where text is in the squares of a page, and where they are; and what became of its boxes."""

    text: np.ndarray  # uint8 [t, S, S]
    top: np.ndarray  # int32 [t], pixels
    left: np.ndarray
    counts: Counter[str]


def _resize(width: int, height: int, size: int) -> Frame:
    side = min(width, height)
    return Frame((width - side) / 2, (height - side) / 2, size / side)


def _crop(width: int, height: int, size: int) -> Frame:
    return Frame((width - size) // 2, (height - size) // 2, 1.0)


def _tile(width: int, height: int, size: int) -> Frame:
    return Frame(0, 0, 1.0, height // size, width // size)


FRAMES: dict[str, Callable[[int, int, int], Frame]] = {"resize": _resize, "crop": _crop, "tile": _tile}


def marked(stored: np.ndarray, orientation: int, shape: tuple[int, int], size: int, fit: Fit) -> Marked:
    """Return the masks of the squares of an image.

    Args:
        stored: left, top, right, bottom [n, 4] in pixels of the file, before EXIF rotation.
        orientation: of EXIF.
        shape: width and height of the upright image.
        size: S.
        fit: how the image became squares.
    """
    found = upright(stored, orientation, *shape)
    inside = found.clip(0, [*shape, *shape])
    real = _areas(found)
    within = real & _areas(inside)
    frame = FRAMES[fit](*shape, size)
    moved = (inside[within] - [frame.left, frame.top] * 2) * frame.factor
    moved = moved.round(DIGITS).clip(0, [frame.columns * size, frame.rows * size] * 2)
    kept = _areas(moved)
    outer = np.concatenate([np.floor(moved[kept, :2]), np.ceil(moved[kept, 2:])], axis=1).astype(np.int64)
    number = np.arange(frame.rows * frame.columns, dtype=np.int32)
    counts = Counter(
        empty=int((~real).sum()),
        outside=int((real & ~within).sum()),
        clipped=int((found != inside).any(1)[within].sum()),
        cut_off=int((~kept).sum()),
        kept=int(kept.sum()),
    )
    top, left = number // frame.columns * size, number % frame.columns * size
    return Marked(_drawn(outer, frame, size), top, left, counts)


def upright(stored: np.ndarray, orientation: int, width: int, height: int) -> np.ndarray:
    """Return boxes [n, 4] of a file as they are in its upright image, of this width and height."""
    x, y = stored[:, [0, 2]], stored[:, [1, 3]]
    if orientation in SWAPPED:
        x, y = y, x
    if orientation in FROM_RIGHT:
        x = width - x[:, ::-1]
    if orientation in FROM_BELOW:
        y = height - y[:, ::-1]
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    has_area: np.ndarray = np.all(boxes[:, 2:] > boxes[:, :2], axis=1)
    return has_area


def _drawn(boxes: np.ndarray, frame: Frame, size: int) -> np.ndarray:
    """Masks [t, S, S], row by row; by sums over the boxes' corners, as time must not grow with their areas."""
    out = np.empty((frame.rows, frame.columns, size, size), dtype=np.uint8)
    for row, squares in enumerate(out):
        here = boxes[(boxes[:, 1] < (row + 1) * size) & (boxes[:, 3] > row * size)]
        left, right = here[:, 0], here[:, 2]
        top, bottom = (here[:, [1, 3]] - row * size).clip(0, size).T
        corners = np.zeros((size + 1, frame.columns * size + 1), dtype=np.int32)
        for y, x, step in ((top, left, 1), (bottom, right, 1), (top, right, -1), (bottom, left, -1)):
            np.add.at(corners, (y, x), step)
        inside = corners.cumsum(0).cumsum(1)[:size, :-1]
        squares[:] = (inside > 0).reshape(size, frame.columns, size).swapaxes(0, 1)
    return out.reshape(-1, size, size)
