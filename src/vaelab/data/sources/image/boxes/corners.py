"""Boxes of text in pixels of their file, whatever they were read from. n boxes of a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

EXPECTED = "expected x0 <= x1 and y0 <= y1, in pixels"


class FileBoxes(NamedTuple):
    """The boxes of a file: the page of each, from 1, int [n], and left, top, right, bottom, float [n, 4].

    Right and bottom are the first pixel beyond. Pixels are those of the file as it is stored, before EXIF rotation.
    """

    page: np.ndarray
    corners: np.ndarray

    def on(self, number: int) -> np.ndarray:
        """Return the boxes on a page, which is counted from 0."""
        on_page: np.ndarray = self.corners[self.page == number + 1]
        return on_page


NONE = FileBoxes(np.zeros(0, dtype=np.int64), np.zeros((0, 4)))


class Boxes(NamedTuple):
    """The boxes of a folder of images."""

    of: Callable[[Path], FileBoxes]  # of a file, relative to the folder; raises UnreadableError
    files: list[Path]  # that hold them
    said: list[str]


def numbers(cells: Sequence[str], column: str) -> np.ndarray:
    """Return the numbers that cells hold, float64 [n]; not by numpy, which makes all as long as the longest.

    Raises:
        BadBoxError: one is no finite number.
    """
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = float(cell) if cell.isascii() and "_" not in cell else np.nan  # Python reads 1_0 as 10
        except ValueError:
            values[row] = np.nan
    if len(bad := np.flatnonzero(~np.isfinite(values))):
        row = int(bad[0])
        raise BadBoxError(row, f"{column} is {cells[row][:40]!r}; expected a number of pixels")
    return values


def check_order(corners: np.ndarray) -> None:
    """Raise BadBoxError where a box ends before it begins, or nowhere."""
    bad = np.flatnonzero((corners[:, 2:] < corners[:, :2]).any(1) | ~np.isfinite(corners).all(1))
    if len(bad):
        x0, y0, x1, y1 = corners[bad[0]]
        raise BadBoxError(int(bad[0]), f"x0={x0:g} y0={y0:g} x1={x1:g} y1={y1:g} is no box; {EXPECTED}")


class BadBoxError(ValueError):
    """A row that is no box, and why."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row
