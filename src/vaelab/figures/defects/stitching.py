"""Whole strips, put together again from their patches.

n patches of a strip, C channels, S side of a patch, R source pixels to a side of one of its own, h cells of a score
map to a side. A pixel of the picture, h w of them, is `grain` source pixels a side.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vaelab.figures.canvas.tiles import PAPER, image_tile
from vaelab.figures.defects.overlay import pooled

MOST_WIDTH = 2048  # pixels of the picture, as are all below
HATCH, HATCH_EVERY = 205, 8
INSET = 4  # between a patch and the region that marks it


class Strip(NamedTuple):
    """A strip as its patches."""

    name: str
    group: str
    defect: str  # "none" for none
    shape: tuple[int, int]  # height and width, source pixels
    reduce: int  # R
    x: np.ndarray  # uint8 [n, C, S, S]
    top: np.ndarray  # int [n], source pixels
    left: np.ndarray  # int [n]
    score: np.ndarray  # float [n, h, h]
    mask: np.ndarray | None  # uint8 [n, R·S, R·S], 1 on defects; None where none is known
    flagged: np.ndarray  # bool [n]
    value: np.ndarray  # float [n]: score of each patch


class Stitched(NamedTuple):
    """A strip put together."""

    pixels: np.ndarray  # uint8 [h, w, 3], hatched where no patch is
    score: np.ndarray  # float [h, w], −inf where no patch is
    mask: np.ndarray  # bool [h, w]
    flagged: np.ndarray  # float [h, w]: value inside of flagged patches, −inf elsewhere


def grain(strips: Sequence[Strip]) -> int:
    """Return the least power of two, of source pixels to a pixel of the picture, with which all strips have room."""
    widest, size = max(strip.shape[1] for strip in strips), 1
    while -(-widest // size) > MOST_WIDTH:
        size *= 2
    return size


def stitch(strip: Strip, size: int) -> Stitched:
    """Return the patches of a strip at their places, `size` source pixels to a pixel."""
    height, width = (-(-pixels // size) for pixels in strip.shape)
    line = np.add.outer(np.arange(height), np.arange(width)) % HATCH_EVERY == 0
    pixels = np.where(line[..., None], HATCH, PAPER).astype(np.uint8).repeat(3, 2)
    score, flagged = np.full((2, height, width), -np.inf, np.float32)
    mask, side = np.zeros((height, width), bool), max(1, strip.reduce * strip.x.shape[-1] // size)
    inset = min(INSET, side // 4)
    for number, (top, left) in enumerate(zip(strip.top // size, strip.left // size, strict=True)):
        place = slice(top, top + side), slice(left, left + side)
        pixels[place] = image_tile(strip.x[number], side)
        np.maximum(score[place], pooled(strip.score[number], side), out=score[place])
        if strip.mask is not None:
            mask[place] |= pooled(strip.mask[number], side) != 0
        if strip.flagged[number]:
            inner = flagged[top + inset : top + side - inset, left + inset : left + side - inset]
            np.maximum(inner, strip.value[number], out=inner)
    return Stitched(pixels, score, mask, flagged)
