"""Grids that are larger than the canvas, in parts that fit it."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np


def parts(cells: np.ndarray, canvas: int, stride: int | None) -> Iterator[np.ndarray]:
    """Yield the parts of a grid [H, W] that fit the canvas: equal ones, or windows every `stride` cells."""
    rows, columns = (_cuts(length, canvas, stride) for length in cells.shape)
    for top, bottom in rows:
        for left, right in columns:
            yield cells[top:bottom, left:right]


def _cuts(length: int, canvas: int, stride: int | None) -> list[tuple[int, int]]:
    if length <= canvas:
        return [(0, length)]
    if stride:
        starts = sorted({*range(0, length - canvas, stride), length - canvas})
        return [(start, start + canvas) for start in starts]
    ends = np.linspace(0, length, -(-length // canvas) + 1).round().astype(int).tolist()
    return list(pairwise(ends))
