"""Planted defects: what goes wrong in a fabric, drawn into an image, with the exact mask of what it changed.

C channels, H rows, W columns; images are uint8 [C, H, W].

A pixel is in the mask where some channel differs by at least LEAST_CHANGE levels, unless it and those that touch it are
fewer than three. All other changes (rounding, stray pixels: nothing that a reader would call a defect) are undone:
outside of the mask the planted image is the original, inside it every pixel differs.
"""

from collections.abc import Iterator
from itertools import product, repeat
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from vaelab.data.planted.kinds import DEFECT_KINDS, Canvas
from vaelab.errors import InputError

LEAST_CHANGE = 2  # of 255 levels: of a pixel in the mask
LEAST_SEEN = 6  # levels: of a pixel that shows
LEAST_PIXELS = 8  # that show; the smallest defect of AITEX has as many
LEAST_SIDE = 16  # of an image
LEAST_DEVIATION = 16  # levels, that an even image counts as
TRIES = 4  # at each strength, before it is doubled


class Planted(NamedTuple):
    """An image with a defect, and what the defect is in the end."""

    image: np.ndarray  # uint8 [C, H, W]
    mask: np.ndarray  # bool [H, W], never empty
    kind: str
    strength: float


def plant(image: np.ndarray, kind: str, strength: float, random: Generator, other: np.ndarray | None = None) -> Planted:
    """Return `image` with a defect of one of the DEFECT_KINDS, and its mask.

    A defect of which fewer than LEAST_PIXELS pixels show is drawn again, then with twice the strength; one that never
    shows (blur where all is even) gives way to `brightness`.

    Args:
        image: uint8 [C, H, W], at least 16x16 pixels.
        kind: one of DEFECT_KINDS.
        strength: in (0, 1]; scales size and contrast.
        random: all that is random comes from it.
        other: an image of the same shape, from which `scramble` takes its content half of the time.

    Raises:
        InputError: unknown kind, or a strength or an image that is not as above.
    """
    _check(image, kind, strength, other)
    x = image.astype(np.float32)
    deviation = max(LEAST_DEVIATION, float(x.std()))
    canvas = Canvas(x, None if other is None else other.astype(np.float32), deviation)
    attempts = _attempts(kind, strength)
    while True:
        kind, strength = next(attempts)
        drawn = np.clip(np.rint(DEFECT_KINDS[kind](canvas, strength, random)), 0, 255)
        change = np.abs(drawn - x).max(0)
        mask = _mask(change)
        if np.count_nonzero(change[mask] >= LEAST_SEEN) >= LEAST_PIXELS:
            return Planted(np.where(mask, drawn.astype(np.uint8), image), mask, kind, strength)


def _check(image: np.ndarray, kind: str, strength: float, other: np.ndarray | None) -> None:
    if kind not in DEFECT_KINDS:
        raise InputError(f"planted defect: {kind!r} is unknown; expected one of {', '.join(DEFECT_KINDS)}")
    if not 0 < strength <= 1:
        raise InputError(f"planted defect: strength {strength}; expected more than 0 and at most 1")
    if image.ndim != 3 or image.dtype != np.uint8 or min(image.shape[1:]) < LEAST_SIDE:
        expected = f"uint8 [C, H, W] of at least {LEAST_SIDE}x{LEAST_SIDE} pixels"
        raise InputError(f"planted defect: an image {image.dtype} {list(image.shape)}; expected {expected}")
    if other is not None and other.shape != image.shape:
        raise InputError(f"planted defect: images of shapes {list(image.shape)} and {list(other.shape)}; expected one")


def _attempts(kind: str, strength: float) -> Iterator[tuple[str, float]]:
    """Kinds and strengths: as asked for, then stronger, then brightness until it shows, which it does everywhere."""
    levels = [strength]
    while levels[-1] < 1:
        levels.append(min(1.0, 2 * levels[-1]))
    for name, level in product((kind, "brightness"), levels):
        yield from [(name, level)] * TRIES
    yield from repeat(("brightness", 1.0))


def _mask(change: np.ndarray) -> np.ndarray:
    """Pixels bool [H, W] that change enough, in groups of three or more: in or beside one that has two neighbours."""
    enough = change >= LEAST_CHANGE
    mask: np.ndarray = enough & (_around(enough & (_around(enough) > 2)) > 0)
    return mask


def _around(x: np.ndarray) -> np.ndarray:
    """Pixels of x in the 3x3 around each, int8 [H, W]."""
    padded = np.pad(x, 1).astype(np.int8)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    around: np.ndarray = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return around
